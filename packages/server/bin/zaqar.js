#!/usr/bin/env node
import './require-node.cjs'

// Imported late, since an old Node could not even parse what lies behind it.
await import('#cli')

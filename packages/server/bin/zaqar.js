#!/usr/bin/env node
import './require-node.cjs'
import { statSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

keepCompiledCode()

// Imported late, since an old Node could not even parse what lies behind it.
await import('#cli')

/**
 * The next start is faster by what Node has made of the code in this one. That lies in a folder of this user's, since
 * whoever may write there has his code run: not in /tmp, nor in the home that sudo has left of somebody else.
 */
function keepCompiledCode() {
  try {
    const isOwn = statSync(homedir()).uid === process.getuid?.() || process.platform === 'win32'
    if (isOwn) module.enableCompileCache(join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'zaqar'))
  } catch {
    // Whoever has no home starts as fast as without.
  }
}

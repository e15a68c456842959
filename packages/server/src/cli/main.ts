#!/usr/bin/env node
/** The command `zaqar`. */
import { run } from './program.ts'
import { processShell } from './shell.ts'

process.exitCode = await run(process.argv.slice(2), processShell())
// The channel to its supervisor would keep a worker alive that could not start.
if (process.exitCode !== 0) process.channel?.unref()

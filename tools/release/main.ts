/**
 * The command of the executable. Node gives a worker that `node:cluster` starts from a single executable its path once
 * more than usual, before the arguments (nodejs/node#62776).
 */
import cluster from 'node:cluster'

if (cluster.isWorker) process.argv.splice(1, 1)
await import('../../packages/server/src/cli/main.ts')

/**
 * Loaded into a service by `--import`, with `--expose-gc`: on SIGUSR2 it says on standard error how much memory is in
 * use, when all that nobody needs has been freed. What the system's allocator keeps for later does not count, as in
 * resident memory.
 */
process.on('SIGUSR2', () => {
  globalThis.gc?.()
  // What is freed by that may hold others.
  setTimeout(() => {
    globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    process.stderr.write(`memory in use: ${heapUsed + external} bytes\n`)
  }, 200)
})

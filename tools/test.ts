/**
 * Runs the tests: `node tools/test.ts [GLOB]...`, by default all of them, after installing the foreign software that
 * they meet. Says at the end what was skipped. Where `CI` is set a skipped test counts as a failure, because a test
 * that never runs proves nothing.
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { run } from 'node:test'
import { spec, type TestEvent } from 'node:test/reporters'

const everything = ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts']
const chosen = process.argv.slice(2)
/** For each test, and each suite: far beyond what the longest takes, so that one that waits in vain is named. */
const HANGS_AFTER_MS = 600_000

if (chosen.length === 0) spawnSync('bash', ['tools/install-test-peers.sh'], { stdio: 'inherit' })

process.exitCode = 1
run({
  globPatterns: chosen.length > 0 ? chosen : everything,
  concurrency: availableParallelism(),
  timeout: HANGS_AFTER_MS,
})
  .compose(reportSkipped)
  .compose(new spec())
  .pipe(process.stdout)

/** Adds a line for each skipped test before the closing figures, and sets the exit code by those. */
async function* reportSkipped(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  const skipped: { name: string; reason: string }[] = []
  let closing = false
  for await (const event of events) {
    if (event.type === 'test:pass' && event.data.skip !== undefined) {
      skipped.push({ name: event.data.name, reason: String(event.data.skip) })
    }
    // Events without a file speak of the whole run: the first of its figures, and the last.
    if (event.type === 'test:diagnostic' && event.data.file === undefined && !closing) {
      closing = true
      for (const { name, reason } of skipped) yield note(`not run: ${name} (${reason})`)
      if (fails(skipped)) yield note('where CI is set, a test that is not run for want of something counts as failed')
    }
    if (event.type === 'test:summary' && event.data.file === undefined) {
      const { success, counts } = event.data
      process.exitCode = success && counts.tests > 0 && !fails(skipped) ? 0 : 1
    }
    yield event
  }
}

function note(message: string): TestEvent {
  return { type: 'test:diagnostic', data: { nesting: 0, level: 'warn', message } }
}

/** The conformance kit also skips what an engine cannot have by its declared abilities; nothing is wanting then. */
function fails(skipped: readonly { reason: string }[]): boolean {
  return process.env['CI'] !== undefined && skipped.some(({ reason }) => !reason.startsWith('the engine lacks'))
}

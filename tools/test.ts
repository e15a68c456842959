/**
 * Runs the tests: `node tools/test.ts [GLOB]...`, by default all of them, after installing the foreign software that they
 * meet. Says at the end what was skipped. Where `CI` is set a skipped test counts as a failure, because a test that never
 * runs proves nothing.
 */
import { spawnSync } from 'node:child_process'
import { run } from 'node:test'
import { spec, type TestEvent } from 'node:test/reporters'

const everything = ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts']
const chosen = process.argv.slice(2)
const inCi = process.env['CI'] !== undefined

if (chosen.length === 0) spawnSync('bash', ['tools/install-test-peers.sh'], { stdio: 'inherit' })

process.exitCode = 1
run({ globPatterns: chosen.length > 0 ? chosen : everything, concurrency: true })
  .compose(reportSkipped)
  .compose(new spec())
  .pipe(process.stdout)

/** Adds a line for each skipped test before the closing figures, and sets the exit code by those figures. */
async function* reportSkipped(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  const skipped: string[] = []
  for await (const event of events) {
    if (event.type === 'test:pass' && event.data.skip !== undefined) {
      skipped.push(`not run: ${event.data.name} (${event.data.skip})`)
    }
    if (event.type === 'test:diagnostic' && event.data.file === undefined) {
      // Events without a file speak of the whole run: the first of its figures is here.
      if (skipped.length > 0 && inCi) skipped.push('where CI is set, a skipped test fails the run')
      for (const message of skipped.splice(0)) {
        yield { type: 'test:diagnostic', data: { nesting: 0, level: 'warn', message } }
      }
    }
    if (event.type === 'test:summary' && event.data.file === undefined) {
      const { success, counts } = event.data
      process.exitCode = success && counts.tests > 0 && (counts.skipped === 0 || !inCi) ? 0 : 1
    }
    yield event
  }
}

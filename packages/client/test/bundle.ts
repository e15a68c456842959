import assert from 'node:assert/strict'
import { build } from 'rolldown'

/**
 * A module for browsers with all that it needs in it, minified. `source`: what a page would write, with the package by
 * its name.
 */
export async function bundled(source: string): Promise<string> {
  const page = 'page.js'
  const { output } = await build({
    input: page,
    platform: 'browser',
    write: false,
    // What is imported and not there, as a module of Node, is an error.
    onLog: (_level, log) => assert.fail(log.message),
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === page ? `\0${page}` : null),
        load: (id) => (id === `\0${page}` ? source : null),
      },
    ],
    output: { minify: true },
  })
  const [chunk, ...others] = output
  assert.deepEqual([others, chunk.imports, chunk.dynamicImports], [[], [], []], 'the page is all that is needed')
  return chunk.code
}

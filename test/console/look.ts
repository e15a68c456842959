import assert from 'node:assert/strict'
import axe from 'axe-core'
import type { Page } from 'playwright-core'

const WIDTHS = [360, 1280, 2560]
const THEMES = ['light', 'dark'] as const
/** What everything else is done in. */
const USUAL = { width: 1280, height: 800 }

/**
 * Looks at the page as it stands, in three widths and both themes: axe finds nothing, and nothing is wider than the
 * page. Pictures of each are kept where `ZAQAR_PICTURES` says.
 */
export async function look(page: Page, name: string): Promise<void> {
  const folder = process.env['ZAQAR_PICTURES']
  for (const width of WIDTHS) {
    await page.setViewportSize({ ...USUAL, width })
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme })
      if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png` })
      const about = `${name}, ${width} pixels wide, ${colorScheme}`
      assert.ok((await overhang(page)) <= 0, `${about}: something is wider than the page`)
      assert.deepEqual(await violations(page), [], about)
    }
  }
  await page.setViewportSize(USUAL)
}

/** By how many pixels something is wider than the page. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
}

/** Rules of WCAG 2 that axe finds broken, with where. */
async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate<boolean>('typeof axe === "object"'))) await page.evaluate(axe.source)
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run({ resultTypes: ["violations"] })')
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
}

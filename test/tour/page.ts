import { readFileSync } from 'node:fs'

/** A block of a page that readers copy, such as commands. */
export interface Block {
  /** Heading of the part that it stands in, without `#`; empty before the first. */
  readonly heading: string
  readonly language: string
  readonly text: string
  /** The block of JSON right below it: what its last command prints. */
  readonly shown: string | null
}

/** @param path from the root of the repository */
export function blocksOf(path: string): Block[] {
  const page = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  const parts = page.matchAll(
    /^#+ (?<title>[^\n]*)$|^```(?<language>\w+)\n(?<text>.*?)^```$(?:\n\n```json\n(?<shown>.*?)^```$)?/gms,
  )
  const blocks: Block[] = []
  let heading = ''
  for (const { groups: { title, language = '', text = '', shown = null } = {} } of parts) {
    if (title !== undefined) heading = title
    else blocks.push({ heading, language, text, shown })
  }
  return blocks
}

/** One in each line. */
export function commandsIn(blocks: readonly Block[]): string[] {
  return blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trim().split('\n'))
}

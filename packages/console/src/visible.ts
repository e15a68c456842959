/** JSON in which what would turn the direction of the text around, or cannot be seen, is written as JSON may write it. */
export function visible(json: string): string {
  return json.replaceAll(
    /[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

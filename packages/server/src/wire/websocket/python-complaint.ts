/** What Python's `json` says of a text that is no JSON. (contract websocket.md 4; CPython 3.11, Modules/_json.c) */

/** `Expecting value: line 1 column 1 (char 0)`, for example. `text` is not nested deeper than the stack is. */
export function pythonComplaint(text: string): string {
  try {
    new Scanner(text).document()
  } catch (error) {
    if (error instanceof Complaint) return `${error.message}: ${placeOf(text, error.at)}`
    throw error
  }
  // Python takes it; it may hold a number that only Python knows.
  return `Expecting value: ${placeOf(text, 0)}`
}

/** No error, since nobody looks at its stack, which costs much. */
class Complaint {
  readonly message: string
  readonly at: number

  constructor(message: string, at: number) {
    this.message = message
    this.at = at
  }
}

class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): void {
    if (this.#text.startsWith('\ufeff')) throw new Complaint('Unexpected UTF-8 BOM (decode using utf-8-sig)', 0)
    this.#blanks()
    this.#value()
    this.#blanks()
    if (this.#at < this.#text.length) throw new Complaint('Extra data', this.#at)
  }

  #value(): void {
    const first = this.#text[this.#at]
    if (first === '"') this.#string()
    else if (first === '{') this.#object()
    else if (first === '[') this.#array()
    else this.#simple()
  }

  #simple(): void {
    SIMPLE.lastIndex = this.#at
    const [simple] = SIMPLE.exec(this.#text) ?? []
    if (simple === undefined) throw new Complaint('Expecting value', this.#at)
    this.#at += simple.length
  }

  #object(): void {
    this.#step()
    if (this.#took('}')) return
    for (;;) {
      if (this.#text[this.#at] !== '"') {
        throw new Complaint('Expecting property name enclosed in double quotes', this.#at)
      }
      this.#string()
      this.#blanks()
      if (this.#text[this.#at] !== ':') throw new Complaint("Expecting ':' delimiter", this.#at)
      this.#step()
      this.#value()
      this.#blanks()
      if (this.#took('}')) return
      this.#comma()
    }
  }

  #array(): void {
    this.#step()
    if (this.#took(']')) return
    for (;;) {
      this.#value()
      this.#blanks()
      if (this.#took(']')) return
      this.#comma()
    }
  }

  #comma(): void {
    if (this.#text[this.#at] !== ',') throw new Complaint("Expecting ',' delimiter", this.#at)
    this.#step()
  }

  #string(): void {
    const text = this.#text
    const start = this.#at
    for (let at = start + 1; at < text.length; at++) {
      const character = text[at] as string
      if (character === '"') {
        this.#at = at + 1
        return
      }
      if (character < ' ') throw new Complaint('Invalid control character at', at)
      if (character !== '\\') continue
      at += 1
      if (text[at] === 'u') {
        // Python wants something behind the four digits, too.
        const isWhole = at + 5 < text.length && /^[0-9a-f]{4}$/i.test(text.slice(at + 1, at + 5))
        if (!isWhole) throw new Complaint('Invalid \\uXXXX escape', at)
        at += 4
      } else if (at < text.length && !'"\\/bfnrt'.includes(text[at] as string)) {
        throw new Complaint('Invalid \\escape', at - 1)
      }
    }
    throw new Complaint('Unterminated string starting at', start)
  }

  #took(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  /** Over a character and the blanks behind it. */
  #step(): void {
    this.#at += 1
    this.#blanks()
  }

  #blanks(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? '-')) this.#at += 1
  }
}

const SIMPLE = /null|true|false|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** Python counts code points. */
function placeOf(text: string, at: number): string {
  const before = Array.from(text.slice(0, at))
  const lines = before.filter((character) => character === '\n').length
  const column = before.length - before.lastIndexOf('\n')
  return `line ${lines + 1} column ${column} (char ${before.length})`
}

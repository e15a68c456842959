/** Bytes that are kept of the beginning, and of the end. */
const EDGE = 8_192

/** What a command prints: all of it, or its beginning and its end where it is long. */
export class BoundedOutput {
  #head = Buffer.alloc(0)
  #tail = Buffer.alloc(0)
  #left = 0

  add(chunk: Buffer): void {
    const forHead = chunk.subarray(0, EDGE - this.#head.length)
    const forTail = chunk.subarray(forHead.length)
    if (forHead.length > 0) this.#head = Buffer.concat([this.#head, forHead])
    // The last bytes of a large chunk are all that can stay.
    const end = Buffer.concat([this.#tail, forTail.subarray(-EDGE)])
    this.#tail = end.subarray(-EDGE)
    this.#left += forTail.length - forTail.subarray(-EDGE).length + end.length - this.#tail.length
  }

  get isTruncated(): boolean {
    return this.#left > 0
  }

  /** Bytes that are no UTF-8 become U+FFFD. */
  text(): string {
    if (!this.isTruncated) return Buffer.concat([this.#head, this.#tail]).toString()
    // No character is cut in two: what is not whole in the head is left out, and so is the rest of it in the tail.
    const head = new TextDecoder().decode(this.#head, { stream: true })
    const start = this.#tail.findIndex((byte) => !isContinuation(byte))
    return `${head}\n[... ${this.#left} bytes ...]\n${this.#tail.toString('utf8', Math.max(0, start))}`
  }
}

function isContinuation(byte: number): boolean {
  return (byte & 0b1100_0000) === 0b1000_0000
}

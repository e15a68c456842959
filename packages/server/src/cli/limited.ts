/** The first `most` of them; all where that is not given. */
export async function* limited<T>(items: AsyncIterable<T>, most = Number.POSITIVE_INFINITY): AsyncGenerator<T, void> {
  let count = 0
  for await (const item of items) {
    yield item
    if (++count >= most) return
  }
}

/** The first of a long listing. */
export async function taken<Item>(source: AsyncGenerator<Item, void>, most: number): Promise<Item[]> {
  const items: Item[] = []
  for await (const item of source) {
    items.push(item)
    if (items.length === most) break
  }
  return items
}

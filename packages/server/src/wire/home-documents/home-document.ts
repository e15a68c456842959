/** What a home document says of a resource. (contract http.md 2.2) */
export interface HomeResource {
  readonly relation: string
  /** Below the prefix of the version. */
  readonly template: string
  /** Variables of the template beside the queue's name, each with the name that describes it. */
  readonly vars?: Readonly<Record<string, string>>
  readonly allow: readonly string[]
  readonly acceptsPost?: true
  /** Whether the address stands as it is, not as a template. */
  readonly isPlain?: true
  /** Whether it is for operators only. */
  readonly admin?: true
}

/** The document, indented by four blanks as upstream's is. */
export function homeDocument(prefix: string, resources: readonly HomeResource[]): string {
  const entries = resources.map((resource) => [resource.relation, describe(prefix, resource)])
  return JSON.stringify({ resources: Object.fromEntries(entries) }, null, 4)
}

function describe(prefix: string, { template, vars, allow, acceptsPost, isPlain }: HomeResource): object {
  const all = { ...(template.includes('{queue_name}') ? { queue_name: 'param/queue_name' } : {}), ...vars }
  return {
    [isPlain ? 'href' : 'href-template']: `${prefix}${template}`,
    ...(Object.keys(all).length > 0 ? { 'href-vars': all } : {}),
    hints: {
      allow,
      formats: { 'application/json': {} },
      ...(acceptsPost ? { 'accept-post': ['application/json'] } : {}),
    },
  }
}

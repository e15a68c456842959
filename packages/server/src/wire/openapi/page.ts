import type { JsonSchema } from './json-schema.ts'
import type { Example, OpenApi, OpenApiOperation } from './types.ts'

/** The document as one HTML page that needs nothing else. */
export function openApiPage(document: OpenApi): string {
  const { info, tags, paths, components } = document
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation,
      components,
    })),
  )
  const section = (name: string) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name))
    const description = tags.find((tag) => tag.name === name)?.description ?? ''
    return `<h3 id="${anchor(name)}">${name}</h3><p>${prose(description)}</p>${own.map(operationPart).join('')}`
  }
  const groups = document['x-tagGroups'].map(
    (group) => `<h2 id="${anchor(group.name)}">${group.name}</h2>${group.tags.map(section).join('')}`,
  )
  const schemas = Object.entries(components['schemas'] ?? {}).map(
    ([name, schema]) => `<details id="${name}"><summary><code>${name}</code></summary>${json(schema)}</details>`,
  )
  const menus = document['x-tagGroups'].map(
    (group) =>
      `<nav><b>${linkTo(group.name, group.name)}</b> ${group.tags.map((tag) => linkTo(tag, nounOf(tag))).join(' ')}</nav>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(info.title)} API</title><style>${STYLE}</style></head><body>
<h1>${escaped(info.title)} API</h1>
${info.description
  .split('\n\n')
  .map((part) => `<p>${prose(part)}</p>`)
  .join('\n')}
<p>For programs: <a href="/openapi.json">/openapi.json</a>, OpenAPI 3.1. What can be said over a WebSocket: \
<a href="/asyncapi.json">/asyncapi.json</a>, AsyncAPI 3.0.</p>
${menus.join('\n')}
<nav><a href="#schemas">schemas</a></nav>
${groups.join('\n')}
<h2 id="schemas">schemas</h2>${schemas.join('\n')}
</body></html>
`
}

function linkTo(name: string, text: string): string {
  return `<a href="#${anchor(name)}">${text}</a>`
}

function anchor(name: string): string {
  return name.replaceAll(' ', '-')
}

/** `v2 queues` is about queues. */
function nounOf(tag: string): string {
  return tag.slice(tag.lastIndexOf(' ') + 1)
}

interface Placed {
  readonly path: string
  readonly method: string
  readonly operation: OpenApiOperation
  readonly components: OpenApi['components']
}

function operationPart({ path, method, operation, components }: Placed): string {
  const { operationId, deprecated, summary, description = '', parameters = [], requestBody, responses } = operation
  return `<details id="${operationId}"><summary><b>${method}</b> <code>${escaped(path)}</code> ${escaped(summary)}${deprecated ? ' <i>deprecated</i>' : ''}</summary>
<p>${prose(description)}</p>
${table(parameters.map((one) => parameterRow(one, components)))}
${
  requestBody === undefined
    ? ''
    : `<h4>Body</h4>${Object.entries(requestBody['content'] as Contents)
        .map(bodyPart)
        .join('')}`
}
<h4>Answers</h4>${table(Object.entries(responses).map(answerRow))}
${operation['x-examples'].map(examplePart).join('')}
</details>`
}

type Contents = Readonly<Record<string, { readonly schema: JsonSchema; readonly examples?: JsonSchema }>>

function parameterRow(parameter: JsonSchema, { parameters = {} }: OpenApi['components']): string[] {
  const { $ref = '' } = parameter as { $ref?: string }
  const {
    name,
    in: place,
    required,
    description,
    schema,
  } = parameters[$ref.slice($ref.lastIndexOf('/') + 1)] ?? parameter
  const { description: more, ...rules } = schema as JsonSchema
  const text = [description, more].filter((one) => one !== undefined).join(' ')
  const where = `${place}${required ? ', required' : ''}`
  return [`<code>${name}</code>`, where, prose(text), `<code>${escaped(JSON.stringify(rules))}</code>`]
}

function bodyPart([type, { schema }]: [string, Contents[string]]): string {
  return `<p><code>${type}</code></p>${json(schema)}`
}

function answerRow([status, response]: [string, JsonSchema]): string[] {
  const contents = Object.values((response['content'] ?? {}) as Contents)
  const bodies = contents.map(({ schema }) => linked(schema))
  const titles = Number(status) < 400 ? [] : contents.flatMap(({ examples = {} }) => Object.values(examples))
  const list = titles.map((example) => errorItem((example as { value: Record<string, string> }).value)).join('')
  return [`<b>${status}</b>`, `${prose(String(response['description']))}${list && `<ul>${list}</ul>`}`, bodies.join('')]
}

function errorItem({ title = '', description = '' }: Record<string, string>): string {
  return `<li>${escaped(title)}${description && `: ${escaped(description)}`}</li>`
}

function linked(schema: JsonSchema): string {
  return `<code>${escaped(JSON.stringify(schema)).replace(
    /&quot;\$ref&quot;:&quot;#\/components\/schemas\/([\w.]+)&quot;/g,
    '<a href="#$1">$1</a>',
  )}</code>`
}

function examplePart({ name, request, answer }: Example): string {
  const headers = Object.entries(request.headers ?? {}).map(([header, value]) => `\n${header}: ${value}`)
  const answered = Object.entries(answer.headers ?? {}).map(([header, value]) => `\n${header}: ${value}`)
  return `<h4>Example: ${name}</h4>
<pre>${escaped(`${request.method} ${request.path}${headers.join('')}${bodyText(request.body)}`)}</pre>
<pre>${escaped(`${answer.status}${answered.join('')}${bodyText(answer.body)}`)}</pre>`
}

function bodyText(body: unknown): string {
  return body === undefined ? '' : `\n\n${JSON.stringify(body, null, 2)}`
}

function table(rows: readonly string[][]): string {
  return `<table>${rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</table>`
}

function json(value: unknown): string {
  return `<pre>${escaped(JSON.stringify(value, null, 2))}</pre>`
}

/** Text with `code` in it. */
function prose(text: string): string {
  return escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}' +
  'nav a{margin-right:1rem}nav b{display:inline-block;min-width:8rem}summary{cursor:pointer;padding:.3rem 0}summary b{display:inline-block;min-width:4.5rem}' +
  'details{border-bottom:1px solid #8886}pre{overflow:auto;background:#8881;padding:.6rem}' +
  'td{vertical-align:top;padding:.2rem .8rem .2rem 0}code,pre{font-size:.85rem}table{border-collapse:collapse}'

import type { Json } from '../../model/model.ts'
import type { JsonSchema } from './json-schema.ts'
import type { BodyDoc, DoorDoc, ExampleDoc } from './types.ts'

/** What is said of the body in other words; it must have one. */
export function withBody(doc: DoorDoc, restate: (schema: JsonSchema) => JsonSchema): DoorDoc {
  const body = doc.body as BodyDoc
  return { ...doc, body: { ...body, schema: restate(body.schema) } }
}

/** The examples with answers of another form. */
export function reshaped(examples: readonly ExampleDoc[], reshape: (body: Json) => Json): ExampleDoc[] {
  return examples.map((example) => {
    const { answer } = example
    return answer.body === undefined ? example : { ...example, answer: { ...answer, body: reshape(answer.body) } }
  })
}

/** The examples with another text in the place of one, wherever it is. */
export function reworded(examples: readonly ExampleDoc[], text: string, other: string): ExampleDoc[] {
  return JSON.parse(JSON.stringify(examples).replaceAll(text, other))
}

import type { Json } from '../../model/model.ts'
import type { JsonSchema } from './json-schema.ts'
import type { BodyDoc, DoorDoc, ExampleDoc } from './types.ts'

/** The same description with another schema of the body, which it must have. */
export function withBody(doc: DoorDoc, restate: (schema: JsonSchema) => JsonSchema): DoorDoc {
  const body = doc.body as BodyDoc
  return { ...doc, body: { ...body, schema: restate(body.schema) } }
}

/** The examples with the bodies of their answers in another form. */
export function reshaped(examples: readonly ExampleDoc[], reshape: (body: Json) => Json): ExampleDoc[] {
  return examples.map((example) => {
    const { answer } = example
    return answer.body === undefined ? example : { ...example, answer: { ...answer, body: reshape(answer.body) } }
  })
}

/** The examples with `other` wherever `text` stands. */
export function reworded(examples: readonly ExampleDoc[], text: string, other: string): ExampleDoc[] {
  return JSON.parse(JSON.stringify(examples).replaceAll(text, other))
}

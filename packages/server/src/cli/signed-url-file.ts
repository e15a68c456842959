import { writeFileSync } from 'node:fs'
import type { SignedUrl } from 'zaqar-client'
import { parseIsoTime } from '../core/rules/iso-time.ts'
import { isQueueName } from '../core/rules/names.ts'
import { isObject } from '../model/json.ts'
import type { Instant, Json } from '../model/model.ts'

/** What its holder can do with a queue without an account, and where. */
export interface SignedUrlFile extends SharedQueue {
  /** Address of the service. */
  readonly url: string
  /** Where answers go; null where none are wanted. */
  readonly reply: SharedQueue | null
}

export interface SharedQueue {
  readonly queue: string
  readonly signed: SignedUrl
}

/** The file is not there, or not what it should be. */
export class SignedUrlFileError extends Error {
  override readonly name = 'SignedUrlFileError'
}

/** @param text of the file, null where there is none. @throws SignedUrlFileError */
export function readSignedUrlFile(path: string, text: string | null): SignedUrlFile {
  const refuse = (problem: string): never => {
    throw new SignedUrlFileError(`${path}: ${problem}`)
  }
  if (text === null) return refuse('there is no such file')
  const document = new Member(parse(text) ?? refuse('it is no JSON'), 'it', refuse)
  const reply = document.optional('reply')
  return {
    url: document.get('url').address(),
    ...sharedQueueIn(document),
    reply: reply === null ? null : sharedQueueIn(reply),
  }
}

/** Only its owner may read it. @throws Error with a `code` when something is there already, or it cannot be written */
export function writeSignedUrlFile(path: string, { url, queue, signed, reply }: SignedUrlFile): void {
  const document = { url, queue, signed, ...(reply !== null && { reply }) }
  writeFileSync(path, `${JSON.stringify(document, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
}

/** When signed values end. */
export function expiryOf({ signed: { expires } }: SharedQueue): Instant {
  return parseIsoTime(expires) as Instant
}

function sharedQueueIn(parent: Member): SharedQueue {
  const signed = parent.get('signed')
  return {
    queue: parent.get('queue').queueName(),
    signed: {
      signature: signed.get('signature').text(),
      project: signed.get('project').text(),
      methods: signed.get('methods').texts(),
      paths: signed.get('paths').texts(),
      expires: signed.get('expires').time(),
    },
  }
}

function parse(text: string): Json | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** A value of the document, with the way that leads to it, for complaints. */
class Member {
  readonly #value: Json
  readonly #name: string
  readonly #refuse: (problem: string) => never

  constructor(value: Json, name: string, refuse: (problem: string) => never) {
    this.#value = value
    this.#name = name
    this.#refuse = refuse
  }

  get(key: string): Member {
    return this.optional(key) ?? this.#refuse(`${this.#nameOf(key)} is missing`)
  }

  optional(key: string): Member | null {
    if (!isObject(this.#value)) return this.#refuse(`${this.#name} must be an object`)
    const value = this.#value[key] ?? null
    return value === null ? null : new Member(value, this.#nameOf(key), this.#refuse)
  }

  text(): string {
    return typeof this.#value === 'string' && this.#value !== ''
      ? this.#value
      : this.#refuse(`${this.#name} must be a text`)
  }

  texts(): string[] {
    if (!Array.isArray(this.#value)) return this.#refuse(`${this.#name} must be a list of texts`)
    return this.#value.map((value, i) => new Member(value, `${this.#name}[${i}]`, this.#refuse).text())
  }

  address(): string {
    const { protocol } = URL.parse(this.text()) ?? {}
    if (protocol === 'http:' || protocol === 'https:') return this.text()
    return this.#refuse(`${this.#name} must be an address, such as http://127.0.0.1:8888`)
  }

  queueName(): string {
    return isQueueName(this.text()) ? this.text() : this.#refuse(`${this.#name} must be the name of a queue`)
  }

  time(): string {
    if (parseIsoTime(this.text()) !== null) return this.text()
    return this.#refuse(`${this.#name} must be a time, such as 2030-01-31T12:00:00`)
  }

  #nameOf(key: string): string {
    return this.#name === 'it' ? key : `${this.#name}.${key}`
  }
}

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isObject } from '../../model/json.ts'
import type { Json, JsonObject } from '../../model/model.ts'
import { systemIds } from '../../platform/system-ids.ts'
import type { SharedQueue } from '../signed-url-file.ts'
import { AgentError } from './agent-error.ts'

interface Kept {
  readonly project: string
  readonly queue: string
  /** A UUID: of several agents that follow one queue, each posts outcomes of its own. */
  readonly agent: string
  /** Behind the last message that is done; null before there was one. */
  readonly marker: string | null
}

/** How far the messages of a queue were followed, kept in a file. */
export class Position {
  readonly #path: string
  #kept: Kept

  /** @throws AgentError when the file is about another queue, or no such file; the error of the system */
  static open(path: string, { queue, signed: { project } }: SharedQueue): Position {
    const kept = read(path)
    if (kept !== null && (kept.project !== project || kept.queue !== queue)) {
      const [theirs, ours] = [`${kept.queue} of project ${kept.project}`, `${queue} of project ${project}`]
      throw new AgentError(`${path} is about the queue ${theirs}, not ${ours}: give another --state`)
    }
    const position = new Position(path, kept ?? { project, queue, agent: systemIds.randomId(), marker: null })
    // A folder that is missing, or not to be written in, is known before a command runs.
    position.#write()
    return position
  }

  private constructor(path: string, kept: Kept) {
    this.#path = path
    this.#kept = kept
  }

  get marker(): string | undefined {
    return this.#kept.marker ?? undefined
  }

  /** Names the outcome of this agent for a message. */
  keyOf(messageId: string): string {
    return `${messageId}/${this.#kept.agent}`
  }

  move(marker: string): void {
    this.#kept = { ...this.#kept, marker }
    this.#write()
  }

  /** Under another name first, so that the file is whole at every moment. */
  #write(): void {
    const draft = `${this.#path}.new`
    writeFileSync(draft, `${JSON.stringify(this.#kept)}\n`, { flush: true })
    renameSync(draft, this.#path)
    const folder = openSync(dirname(this.#path), 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  }
}

/** Null where there is no file. */
function read(path: string): Kept | null {
  let kept: Json | undefined
  try {
    kept = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    if (!(error instanceof SyntaxError)) throw error
  }
  if (isKept(kept)) return kept
  throw new AgentError(`${path} holds no position of an agent; remove it to begin with the oldest message`)
}

function isKept(value: Json | undefined): value is Kept & JsonObject {
  if (!isObject(value)) return false
  const { project, queue, agent, marker } = value
  return (
    [project, queue, agent].every((text) => typeof text === 'string') && (marker === null || typeof marker === 'string')
  )
}

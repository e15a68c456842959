import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { diskFiles } from '../../platform/disk-files.ts'
import type { Shell } from '../shell.ts'
import { RegistrationError } from './registration-error.ts'

const BYTES = 32

/** The password of the service user, which no command line must have: other users of the machine see those. */
export class PasswordFile {
  /** `-`: standard input. Null: none is named. */
  readonly path: string | null
  readonly #stdin: Shell['stdin']

  constructor(path: string | null, stdin: Shell['stdin']) {
    this.path = path
    this.#stdin = stdin
  }

  /** The password in it; null where there is no such file. @throws RegistrationError when it is empty */
  async read(): Promise<string | null> {
    if (this.path === null) return null
    const text = this.path === '-' ? await this.#readInput() : diskFiles.readFile(this.path)
    if (text === null) return null
    const password = text.replace(/\r?\n$/, '')
    if (password !== '' && !/[\r\n]/.test(password)) return password
    throw new RegistrationError(`${this.path} must hold one line, the password`)
  }

  /** Makes a password, and the file with it, for this user alone. */
  create(): string {
    const password = randomBytes(BYTES).toString('base64url')
    writeFileSync(this.path as string, `${password}\n`, { mode: 0o600, flag: 'wx' })
    return password
  }

  async #readInput(): Promise<string> {
    let text = ''
    for await (const chunk of this.#stdin) text += chunk
    return text
  }
}

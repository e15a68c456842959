import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** PEM texts. */
export interface Pair {
  readonly cert: string
  readonly key: string
}

/** A certificate for this machine that has signed itself, and so is its own authority. */
export function makePair(name: string, { days = 2 } = {}): Pair {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-pair-'))
  const file = (path: string) => join(folder, path)
  try {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
    const out = ['-keyout', file('key'), '-out', file('cert'), '-days', String(days)]
    execFileSync('openssl', ['req', '-x509', ...curve, ...subject, ...out], { stdio: 'pipe' })
    return { cert: readFileSync(file('cert'), 'utf8'), key: readFileSync(file('key'), 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { manPage } from './man-page.ts'
import { copyright, debianPackage, debianVersion, executable, repository, version } from './names.ts'

/** Also of the files inside, so that the same commit makes the same package. */
const releasedAt = new Date(1000 * Number(process.env['SOURCE_DATE_EPOCH'] ?? commitTime()))

/** Debian's package of the executable: dist/zaqar_VERSION_amd64.deb. The executable is there already. */
export async function buildDeb(): Promise<void> {
  const tree = mkdtempSync(join(tmpdir(), 'zaqar-deb-'))
  try {
    await layOut(tree)
    const control = join(tree, 'DEBIAN')
    mkdirSync(control)
    for (const name of ['conffiles', 'postinst', 'prerm', 'postrm']) {
      const mode = name === 'conffiles' ? 0o644 : 0o755
      writeFileSync(join(control, name), readFileSync(join(repository, 'deploy/debian', name)), { mode })
    }
    const files = globSync('{etc,usr}/**', { cwd: tree }).filter((path) => statSync(join(tree, path)).isFile())
    writeFileSync(join(control, 'control'), controlOf(tree, files))
    writeFileSync(
      join(control, 'md5sums'),
      files
        .sort()
        .map((path) => `${md5Of(join(tree, path))}  ${path}\n`)
        .join(''),
    )
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zzstd', '-z9', '--build', tree, debianPackage], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(releasedAt.getTime() / 1000) },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  } finally {
    rmSync(tree, { recursive: true })
  }
}

/** What the package installs, under the folder `tree`. */
async function layOut(tree: string): Promise<void> {
  const copy = (from: string, to: string) => cpSync(from, join(tree, to))
  copy(executable, 'usr/bin/zaqar')
  copy(join(repository, 'deploy/debian/zaqar.conf'), 'etc/zaqar/zaqar.conf')
  copy(join(repository, 'deploy/systemd/zaqar.service'), 'usr/lib/systemd/system/zaqar.service')
  copy(copyright, 'usr/share/doc/zaqar/copyright')
  for (const page of globSync('*.md', { cwd: join(repository, 'docs') })) {
    copy(join(repository, 'docs', page), `usr/share/doc/zaqar/${page}`)
  }
  for (const example of globSync('{grafana,haproxy,nginx,prometheus}/*', { cwd: join(repository, 'deploy') })) {
    copy(join(repository, 'deploy', example), `usr/share/doc/zaqar/examples/${example}`)
  }
  const write = (path: string, content: string | Uint8Array) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), content)
  }
  const completion = (shell: string) => execFileSync(executable, ['completion', shell])
  write('usr/share/bash-completion/completions/zaqar', completion('bash'))
  write('usr/share/zsh/vendor-completions/_zaqar', completion('zsh'))
  write('usr/share/fish/vendor_completions.d/zaqar.fish', completion('fish'))
  const page = await manPage(version, releasedAt.toISOString().slice(0, 10))
  write('usr/share/man/man1/zaqar.1.gz', gzipSync(page, { level: 9 }))
}

function controlOf(tree: string, files: readonly string[]): string {
  const kibibytes = files.reduce((sum, path) => sum + Math.ceil(statSync(join(tree, path)).size / 1024), 0)
  const template = readFileSync(join(repository, 'deploy/debian/control'), 'utf8')
  return template.replace('@VERSION@', debianVersion).replace('@KIBIBYTES@', String(kibibytes))
}

function md5Of(path: string): string {
  return createHash('md5').update(readFileSync(path)).digest('hex')
}

/** In seconds since 1970. */
function commitTime(): string {
  return execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: repository, encoding: 'utf8' })
}

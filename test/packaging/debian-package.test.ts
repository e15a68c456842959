import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Zaqar } from 'zaqar-client'
import { built } from '../support/built.ts'
import { createDebianRoot, type DebianRoot, missingDebianRoot } from '../support/debian-root.ts'
import { missingPeer } from '../support/peers.ts'
import { startService } from '../support/service.ts'
import { loadConsole } from './use-service.ts'

const CONF = '/etc/zaqar/zaqar.conf'
const DATA = '/var/lib/zaqar'

/** One machine: each test goes on with what the one before has left. */
describe("Debian's package, on a Debian without Node and without systemd", {
  skip: missingDebianRoot() || missingPeer('binutils'),
}, () => {
  let root: DebianRoot
  /** Where the file of the machine is seen from here. */
  const outside = (path: string) => join(root.folder, path)
  const conf = () => readFileSync(outside(CONF), 'utf8')
  const stat = (path: string) => root.run('stat', '--format=%U:%G %a', path).trim()
  /** As a script does it: nobody is there to be asked. */
  const install = (deb: string) => root.run('dpkg', '--force-confold', '--install', deb)

  before(() => {
    root = createDebianRoot()
    cpSync(built().debianPackage, outside('tmp/new.deb'))
    for (const version of ['0.0.1', '0.0.2']) packAs(version)
  })
  after(() => root.remove())

  /** The package as an older version, whose configuration file has a line more. */
  function packAs(version: string): void {
    const tree = outside('tmp/tree')
    execFileSync('dpkg-deb', ['--raw-extract', outside('tmp/new.deb'), tree])
    const control = join(tree, 'DEBIAN/control')
    writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, `Version: ${version}`))
    appendFileSync(join(tree, CONF), `# Of ${version}.\n`)
    execFileSync('dpkg-deb', ['-Znone', '--build', tree, outside(`tmp/${version}.deb`)], { stdio: 'ignore' })
    rmSync(tree, { recursive: true })
  }

  /** Runs what the unit runs, as its user, while `use` does something with it. */
  async function whileServing(use: (zaqar: Zaqar) => Promise<void>): Promise<void> {
    const unit = readFileSync(outside('usr/lib/systemd/system/zaqar.service'), 'utf8')
    const [, line = ''] = /^ExecStart=zaqar serve (.*)$/m.exec(unit) ?? []
    assert.match(line, new RegExp(`^--config-file ${CONF} --data-dir ${DATA}$`))
    const asUser = ['setpriv', '--reuid=zaqar', '--regid=zaqar', '--clear-groups', 'zaqar']
    const service = await startService({
      command: [...root.under, ...asUser],
      dataDir: DATA,
      args: ['--config-file', CONF],
    })
    const zaqar = new Zaqar({ url: service.url, project: 'demo' })
    try {
      await use(zaqar)
    } finally {
      zaqar.close()
      await service.stop()
    }
  }

  test('is installed, with a user, a configuration that only the service reads, and a folder of its own', () => {
    install('/tmp/0.0.1.deb')
    assert.match(root.run('getent', 'passwd', 'zaqar'), new RegExp(`:${DATA}:/usr/sbin/nologin$`, 'm'))
    assert.equal(stat(CONF), 'root:zaqar 640')
    assert.equal(stat(DATA), 'zaqar:zaqar 700')
    root.run('test', '-e', '/etc/systemd/system/multi-user.target.wants/zaqar.service')
  })

  test('needs no more than what it depends on', () => {
    const libraries = root.run('ldd', '/usr/bin/zaqar').matchAll(/=> (\S+)/g)
    const files = Array.from(libraries, ([, path = '']) => basename(root.run('realpath', path).trim()))
    const owners = root.run('dpkg', '--search', ...files.map((name) => `*/${name}`)).matchAll(/^[^:]+/gm)
    const depends = root.run('dpkg-deb', '--field', '/tmp/new.deb', 'Depends').split(/, | \(.*?\)|\n/)
    for (const [owner] of owners) assert.ok(depends.includes(owner), owner)
  })

  test('brings completion', () => {
    const script =
      'source /usr/share/bash-completion/completions/zaqar; COMP_WORDS=(zaqar queue sta); COMP_CWORD=2; _zaqar'
    assert.equal(root.run('bash', '-c', `${script}; echo "\${COMPREPLY[@]}"`), 'stats\n')
  })

  test('serves what the unit starts, as its user', async () => {
    await whileServing(async (zaqar) => {
      await zaqar.queue('jobs').post({ order: 1 })
      await loadConsole(await zaqar.url())
    })
    assert.equal(stat(`${DATA}/zaqar.db`), 'zaqar:zaqar 600')
  })

  test('an upgrade takes the new configuration file where nobody has changed the old one', () => {
    install('/tmp/0.0.2.deb')
    assert.match(conf(), /^# Of 0\.0\.2\.$/m)
    assert.equal(stat(CONF), 'root:zaqar 640')
  })

  test('an upgrade keeps a configuration file that was changed, and the messages', async () => {
    appendFileSync(outside(CONF), '[DEFAULT]\ndebug = true\n')
    root.run('chmod', '600', CONF)
    root.run('chown', 'zaqar', CONF)
    const changed = conf()
    install('/tmp/new.deb')
    assert.equal(conf(), changed)
    assert.equal(stat(CONF), 'zaqar:zaqar 600')
    // As it is in the package is all but this file.
    assert.equal(root.run('dpkg', '--verify', 'zaqar'), `??5?????? c ${CONF}\n`)
    await whileServing(async (zaqar) => {
      const claim = await zaqar.queue('jobs').claim()
      assert.deepEqual(claim?.messages[0]?.body, { order: 1 })
    })
  })

  test('a unit that was disabled stays so', () => {
    const enabled = outside('etc/systemd/system/multi-user.target.wants/zaqar.service')
    rmSync(enabled)
    install('/tmp/new.deb')
    assert.ok(!existsSync(enabled))
  })

  test('is removed, and leaves configuration and messages', () => {
    root.run('dpkg', '--remove', 'zaqar')
    for (const path of ['usr/bin/zaqar', 'usr/lib/systemd/system/zaqar.service', 'usr/share/doc/zaqar']) {
      assert.ok(!existsSync(outside(path)), path)
    }
    assert.match(conf(), /debug = true/)
    assert.equal(stat(`${DATA}/zaqar.db`), 'zaqar:zaqar 600')
  })

  test('is purged, and leaves the messages, which it says', () => {
    assert.match(root.run('dpkg', '--purge', 'zaqar'), /the messages in \/var\/lib\/zaqar are kept/)
    assert.ok(!existsSync(outside('etc/zaqar')))
    assert.equal(stat(`${DATA}/zaqar.db`), 'zaqar:zaqar 600')
  })

  test('purged where nothing was kept, it leaves nothing but its user', () => {
    rmSync(outside(DATA), { recursive: true })
    install('/tmp/new.deb')
    assert.doesNotMatch(root.run('dpkg', '--purge', 'zaqar'), /kept/)
    const left = root.run('find', '/etc', '/usr', '/var', '-name', '*zaqar*', '-not', '-path', '/var/lib/dpkg/*')
    assert.equal(left, '')
  })
})

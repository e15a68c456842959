/** No engine of containers runs here. docs/deploy.md says how the image was built and tried all the same. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { runHere } from '../cli/run-here.ts'
import { requirePeer } from '../support/peers.ts'
import { freePort } from '../support/proxy.ts'
import { startService } from '../support/service.ts'

const folder = fileURLToPath(new URL('../../deploy/container/', import.meta.url))
const { version } = JSON.parse(readFileSync(new URL('../../packages/server/package.json', import.meta.url), 'utf8'))

describe('Dockerfile', () => {
  const instructions = instructionsOf(readFileSync(join(folder, 'Dockerfile'), 'utf8'))
  const last = (name: string) => instructions.findLast((one) => one.name === name)?.rest ?? ''

  test('the base is of one exact version, and what is built with stays behind', () => {
    assert.match(last('ARG'), /^NODE_IMAGE=docker\.io\/library\/node:\d+\.\d+\.\d+-bookworm-slim$/)
    const stages = instructions.filter(({ name }) => name === 'FROM').map(({ rest }) => rest)
    assert.equal(stages.join(), '$NODE_IMAGE AS build,$NODE_IMAGE')
    assert.match(last('COPY'), /^--from=build /)
  })

  test('it runs as a user by number, who owns nothing but the data, and is told to end by SIGTERM', () => {
    assert.equal(last('USER'), '10001:10001')
    assert.equal(last('RUN'), 'install -d -m 700 -o 10001 -g 10001 /var/lib/zaqar')
    assert.equal(last('VOLUME'), '/var/lib/zaqar')
    assert.equal(last('STOPSIGNAL'), 'SIGTERM')
    assert.deepEqual(JSON.parse(last('ENTRYPOINT')), ['zaqar'])
    assert.deepEqual(JSON.parse(last('CMD')), ['serve', '--data-dir', '/var/lib/zaqar'])
  })

  test('its version is that of the service', () => {
    assert.ok(last('LABEL').includes(`org.opencontainers.image.version="${version}"`))
  })

  test('the health check tells a service that is ready from none', async (t) => {
    const [, command = ''] = /CMD (\[.*\])$/.exec(last('HEALTHCHECK')) ?? []
    const [node, flag, program] = JSON.parse(command) as string[]
    assert.deepEqual([node, flag], ['node', '-e'])
    const check = (port: number) =>
      spawnSync(process.execPath, ['-e', (program as string).replace(':8888/', `:${port}/`)]).status
    const service = await startService()
    t.after(() => service.kill())
    assert.equal(check(service.port), 0)
    assert.equal(check(await freePort()), 1)
  })
})

describe('compose.yaml', () => {
  const text = readFileSync(join(folder, 'compose.yaml'), 'utf8')
  const { services, secrets } = parse(text)

  test('docker-compose finds nothing wrong with it', (t) => {
    if (!requirePeer(t, 'docker-compose')) return
    // Debian's is older than the name, which Compose has since 2022.
    const input = text.replace(/^name: .*\n/m, '')
    const args = ['--file', '-', '--project-directory', folder, 'config', '--quiet']
    const { status, stderr } = spawnSync('/usr/bin/docker-compose', args, { input, encoding: 'utf8' })
    assert.deepEqual([status, stderr], [0, ''])
  })

  test('without authentication nobody outside gets in, and that it is left out is said', async (t) => {
    const { environment, ports } = services.zaqar
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/)
    const files = ['--config-file', join(makeSecrets(t, text), 'storage.conf')]
    assert.equal((await runHere(['config', 'check', ...files], { env: environment })).code, 0)
    const { OS_HTTP__EXPOSE_WITHOUT_AUTHENTICATION: _, ...rest } = environment
    const refused = await runHere(['config', 'check', ...files], { env: rest })
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /expose_without_authentication/)
  })

  test('passwords are made by who starts it, and are in files alone', (t) => {
    const made = makeSecrets(t, text)
    assert.equal(statSync(made).mode & 0o777, 0o700)
    for (const { file } of Object.values<{ file: string }>(secrets)) {
      assert.equal(statSync(join(made, '..', file)).mode & 0o777, 0o444, file)
    }
    const password = readFileSync(join(made, 'postgres-password'), 'utf8').trim()
    assert.match(password, /^[0-9a-f]{48}$/)
    assert.ok(readFileSync(join(made, 'storage.conf'), 'utf8').includes(`:${password}@postgres/`))
    assert.equal(services.postgres.environment.POSTGRES_PASSWORD, undefined)
  })

  test('the service waits for the database, has a root that is read-only, no capabilities, and time to end', () => {
    const { zaqar } = services
    assert.equal(zaqar.depends_on.postgres.condition, 'service_healthy')
    assert.ok(Array.isArray(services.postgres.healthcheck.test))
    assert.equal(zaqar.read_only, true)
    assert.deepEqual(zaqar.cap_drop, ['ALL'])
    assert.deepEqual(zaqar.security_opt, ['no-new-privileges:true'])
    assert.equal(zaqar.stop_grace_period, '70s')
  })
})

/** Lines of the file that belong together, without comments. */
function instructionsOf(text: string): { name: string; rest: string }[] {
  const joined = text.replaceAll(/^#.*\n/gm, '').replaceAll('\\\n', ' ')
  return joined
    .split('\n')
    .map((line) => line.trim().replaceAll(/ {2,}/g, ' '))
    .filter((line) => line !== '')
    .map((line) => ({ name: line.slice(0, line.indexOf(' ')), rest: line.slice(line.indexOf(' ') + 1) }))
}

/** Does what the head of compose.yaml says. Answers the folder of the secrets. */
function makeSecrets(t: TestContext, text: string): string {
  const place = mkdtempSync(join(tmpdir(), 'zaqar-compose-'))
  t.after(() => rmSync(place, { recursive: true }))
  const commands = [...text.matchAll(/^# {3}(.*)$/gm)].map(([, command]) => command)
  execFileSync('/bin/sh', ['-ec', commands.join('\n')], { cwd: place })
  return join(place, 'secrets')
}

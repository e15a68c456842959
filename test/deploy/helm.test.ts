import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1'
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { ConfigMap, Service } from 'kubernetes-models/v1'
import { parse, parseAllDocuments } from 'yaml'
import { runHere } from '../cli/run-here.ts'
import { installHelm } from './helm.ts'

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was rendered
  readonly [field: string]: any
}

const repository = fileURLToPath(new URL('../..', import.meta.url))
const core = 'kubernetes-models'
/** Checks by schema what a manifest holds, and has types that know all of its fields. */
const models = {
  ConfigMap: { model: ConfigMap, types: `${core}/v1` },
  Service: { model: Service, types: `${core}/v1` },
  StatefulSet: { model: StatefulSet, types: `${core}/apps/v1` },
  Deployment: { model: Deployment, types: `${core}/apps/v1` },
  Ingress: { model: Ingress, types: `${core}/networking.k8s.io/v1` },
  NetworkPolicy: { model: NetworkPolicy, types: `${core}/networking.k8s.io/v1` },
  PodDisruptionBudget: { model: PodDisruptionBudget, types: `${core}/policy/v1` },
  ServiceMonitor: { model: ServiceMonitor, types: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1' },
}

const keystone = {
  DEFAULT: { auth_strategy: 'keystone' },
  keystone_authtoken: { auth_type: 'password', auth_url: 'https://keystone.example', username: 'zaqar' },
}
const onSqlite = { exposeWithoutAuthentication: true, config: { transport: { max_messages_post_size: 1_000_000 } } }
const onPostgres = {
  engine: 'postgres',
  replicas: 3,
  config: keystone,
  secrets: [
    { name: 'zaqar-storage', key: 'storage.conf' },
    { name: 'zaqar-keys', key: 'keys' },
  ],
  env: [{ name: 'SSL_CERT_FILE', value: '/etc/ssl/cloud.pem' }],
  imagePullSecrets: [{ name: 'registry' }],
  ingress: { enabled: true, className: 'nginx', host: 'zaqar.example.org', tlsSecret: 'zaqar-tls' },
  serviceMonitor: { enabled: true, tokenSecret: { name: 'zaqar-scrape' } },
  networkPolicy: { enabled: true, from: [{ namespaceSelector: { matchLabels: { team: 'cloud' } } }] },
  podLabels: { team: 'cloud' },
  nodeSelector: { disk: 'fast' },
  tolerations: [{ key: 'cloud', operator: 'Exists' }],
}

describe('the chart', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-helm-'))
  after(() => rmSync(folder, { recursive: true }))
  const helm = installHelm(folder)

  function render(values: object): readonly Manifest[] {
    const { status, stdout, stderr } = helm('template', values)
    assert.equal(status, 0, stderr)
    return parseAllDocuments(stdout).map((document) => document.toJS())
  }

  for (const [name, values, kinds] of [
    ['sqlite', onSqlite, ['ConfigMap', 'Service', 'StatefulSet']],
    [
      'postgres',
      onPostgres,
      ['ConfigMap', 'Deployment', 'Ingress', 'NetworkPolicy', 'PodDisruptionBudget', 'Service', 'ServiceMonitor'],
    ],
  ] as const) {
    test(`on ${name}, Helm finds nothing wrong with it, and Kubernetes knows all that it renders`, () => {
      const linted = helm('lint', values)
      assert.equal(linted.status, 0, linted.stdout + linted.stderr)
      const manifests = render(values)
      assert.deepEqual(manifests.map(({ kind }) => kind).sort(), kinds)
      for (const manifest of manifests) {
        const { model } = models[manifest.kind as keyof typeof models]
        ;new (model as new (data: object) => { validate(): void })(manifest).validate()
      }
      assert.equal(typeErrorsOf(manifests), '')
    })

    test(`on ${name}, the service takes the configuration that it is given`, async () => {
      const file = join(folder, 'zaqar.conf')
      writeFileSync(file, find(render(values), 'ConfigMap')['data']['zaqar.conf'])
      const secret = join(folder, 'secret.conf')
      const account = name === 'postgres' ? '[keystone_authtoken]\npassword=p\nproject_name=service\n' : ''
      writeFileSync(secret, account)
      const checked = await runHere(['config', 'check', '--config-file', file, '--config-file', secret])
      assert.equal(checked.code, 0, checked.stderr)
      assert.doesNotMatch(checked.stdout, /e\+06/)
    })
  }

  test('pods run as nobody in particular, write to their data alone, and end by themselves', () => {
    for (const [values, kind] of [
      [onSqlite, 'StatefulSet'],
      [onPostgres, 'Deployment'],
    ] as const) {
      const manifests = render(values)
      const { spec } = find(manifests, kind)['spec'].template
      const [container] = spec.containers
      assert.equal(spec.securityContext.runAsNonRoot, true)
      assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault')
      assert.equal(spec.automountServiceAccountToken, false)
      assert.deepEqual(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      assert.equal(container.image, `zaqar:${versionOf('packages/server/package.json')}`)
      const conf = find(manifests, 'ConfigMap')['data']['zaqar.conf']
      const [, delay = ''] = /^graceful_shutdown_delay = (\d+)$/m.exec(conf) ?? []
      const [, timeout = ''] = /^graceful_shutdown_timeout = (\d+)$/m.exec(conf) ?? []
      const { periodSeconds, failureThreshold } = container.readinessProbe
      assert.ok(periodSeconds * failureThreshold < Number(delay), 'requests still come when they are refused')
      assert.ok(spec.terminationGracePeriodSeconds > Number(timeout), 'it is killed before it has ended')
    }
  })

  test('secrets are mounted where the service looks for pieces of its configuration', () => {
    const { volumes, containers } = find(render(onPostgres), 'Deployment')['spec'].template.spec
    assert.deepEqual(containers[0].volumeMounts[1], { name: 'config', mountPath: '/etc/zaqar', readOnly: true })
    assert.deepEqual(
      volumes[0].projected.sources.slice(1).map(({ secret }: Manifest) => secret),
      [
        { name: 'zaqar-storage', items: [{ key: 'storage.conf', path: 'zaqar.conf.d/zaqar-storage.storage.conf' }] },
        { name: 'zaqar-keys', items: [{ key: 'keys', path: 'zaqar.conf.d/zaqar-keys.keys.conf' }] },
      ],
    )
  })

  const refusals: readonly (readonly [string, object, RegExp])[] = [
    ['everybody being let in without a word', {}, /exposeWithoutAuthentication/],
    ['two pods on one file', { ...onSqlite, replicas: 2 }, /replicas: with engine sqlite there is one pod/],
    ['PostgreSQL without an address', { engine: 'postgres', config: keystone }, /secrets: engine postgres needs/],
    ['metrics for nobody', { ...onSqlite, serviceMonitor: { enabled: true } }, /serviceMonitor\.tokenSecret\.name/],
    ['a value that there is not', { ...onSqlite, replica: 1 }, /replica/],
  ]
  for (const [what, values, message] of refusals) {
    test(`it refuses ${what}`, () => {
      const { status, stderr } = helm('template', values)
      assert.notEqual(status, 0)
      assert.match(stderr, message)
    })
  }

  for (const [group, option] of [...secretOptions(), ['storage', 'uri'] as const]) {
    test(`it refuses [${group}] ${option} outside of a Secret`, () => {
      const { stderr } = helm('template', { ...onSqlite, config: { [group]: { [option]: 'x' } } })
      assert.ok(stderr.includes(`config: [${group}] ${option} belongs into one of the secrets`), stderr)
    })
  }

  test('its versions are those of the service and of the image', () => {
    const { appVersion } = parse(readFileSync(join(repository, 'deploy/helm/zaqar/Chart.yaml'), 'utf8'))
    assert.equal(appVersion, versionOf('packages/server/package.json'))
  })

  /** What the compiler says of the manifests as values of their types: fields that there are not, above all. */
  function typeErrorsOf(manifests: readonly Manifest[]): string {
    const source = manifests.map((manifest, i) => {
      const { types } = models[manifest.kind as keyof typeof models]
      return `import type { I${manifest.kind} as T${i} } from '${types}'\nexport const m${i}: T${i} = ${JSON.stringify(manifest)}`
    })
    // Below the repository, so that the types are found.
    const place = mkdtempSync(join(repository, 'node_modules/.zaqar-helm-'))
    try {
      writeFileSync(join(place, 'manifests.ts'), source.join('\n'))
      const tsc = join(repository, 'node_modules/typescript/bin/tsc')
      const flags = [
        '--noEmit',
        '--strict',
        '--skipLibCheck',
        '--ignoreConfig',
        '--module',
        'nodenext',
        '--types',
        '',
        '--pretty',
        'false',
      ]
      const { stdout } = spawnSync(process.execPath, [tsc, ...flags, join(place, 'manifests.ts')], { encoding: 'utf8' })
      return stdout
    } finally {
      rmSync(place, { recursive: true })
    }
  }
})

function find(manifests: readonly Manifest[], kind: string): Manifest {
  const manifest = manifests.find((one) => one.kind === kind)
  assert.ok(manifest !== undefined, `no ${kind}`)
  return manifest
}

function versionOf(manifest: string): string {
  return JSON.parse(readFileSync(join(repository, manifest), 'utf8')).version
}

/** Group and name of each option whose value is secret, by docs/configuration.md. */
function secretOptions(): (readonly [string, string])[] {
  const options: (readonly [string, string])[] = []
  let group = ''
  for (const line of readFileSync(join(repository, 'docs/configuration.md'), 'utf8').split('\n')) {
    group = /^## \[(.*)\]$/.exec(line)?.[1] ?? group
    const option = /^\| `([a-z_]+)` .*\| a secret text/.exec(line)?.[1]
    if (option !== undefined) options.push([group, option])
  }
  assert.ok(options.length > 5)
  return options
}

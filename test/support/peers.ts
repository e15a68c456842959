import { spawnSync } from 'node:child_process'
import type { TestContext } from 'node:test'

/** Foreign software that tests meet: the Debian package and a command that works when it is there. */
const peers = {
  'python-zaqarclient': { debian: 'python3-zaqarclient', check: ['/usr/bin/python3', '-c', 'import zaqarclient'] },
  openstacksdk: { debian: 'python3-openstacksdk', check: ['/usr/bin/python3', '-c', 'import openstack'] },
  websocket: { debian: 'python3-websocket', check: ['/usr/bin/python3', '-c', 'import websocket'] },
  msgpack: { debian: 'python3-msgpack', check: ['/usr/bin/python3', '-c', 'import msgpack'] },
  keystone: { debian: 'keystone', check: ['/usr/bin/python3', '-c', 'import keystone'] },
  // What Keystone's Debian package runs it under.
  uwsgi: { debian: 'uwsgi-plugin-python3', check: ['/usr/bin/uwsgi', '--plugins', 'python3', '--version'] },
  'zaqar-ui': { debian: 'python3-zaqar-ui', check: ['/usr/bin/python3', '-c', 'import zaqar_ui'] },
  openstackclient: { debian: 'python3-openstackclient', check: ['/usr/bin/openstack', '--version'] },
  pgbouncer: { debian: 'pgbouncer', check: ['/usr/sbin/pgbouncer', '--version'] },
  libfaketime: { debian: 'libfaketime', check: ['/bin/sh', '-c', 'ls /usr/lib/*/faketime/libfaketime.so.1'] },
  systemd: { debian: 'systemd', check: ['/usr/bin/systemd-analyze', '--version'] },
  'docker-compose': { debian: 'docker-compose', check: ['/usr/bin/docker-compose', '--version'] },
  nginx: { debian: 'nginx-light', check: ['/usr/sbin/nginx', '-v'] },
  'systemd-nspawn': { debian: 'systemd-container', check: ['/usr/bin/systemd-nspawn', '--version'] },
  ansible: { debian: 'ansible-core', check: ['/usr/bin/ansible-playbook', '--version'] },
  puppet: { debian: 'puppet-agent', check: ['/usr/bin/puppet', '--version'] },
  haproxy: { debian: 'haproxy', check: ['/usr/sbin/haproxy', '-v'] },
  debootstrap: { debian: 'debootstrap', check: ['/usr/sbin/debootstrap', '--version'] },
  binutils: { debian: 'binutils', check: ['/usr/bin/strip', '--version'] },
  prometheus: { debian: 'prometheus', check: ['/usr/bin/prometheus', '--version'] },
  iproute2: { debian: 'iproute2', check: ['/bin/ip', '-Version'] },
  chromium: { debian: 'chromium', check: ['/usr/bin/chromium', '--version'] },
} as const

/** Why tests that need the software cannot run, or false. */
export function missingPeer(name: keyof typeof peers): string | false {
  const { debian, check } = peers[name]
  const [command, ...args] = check
  if (spawnSync(command, args, { stdio: 'ignore' }).status === 0) return false
  return `${name} is not installed (Debian package ${debian})`
}

/**
 * Whether the test can go on. Where the software is missing it is skipped, or fails where `CI` is set: a test that
 * never runs proves nothing.
 */
export function requirePeer(t: TestContext, name: keyof typeof peers): boolean {
  const message = missingPeer(name)
  if (message === false) return true
  if (process.env['CI'] !== undefined) throw new Error(message)
  t.skip(message)
  return false
}

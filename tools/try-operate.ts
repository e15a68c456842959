/**
 * `sudo npm run try:operate -- sqlite|postgres` runs the commands of docs/operate.md and docs/drills.md in their order on a fresh
 * machine, and prints what they print: Debian 12, made by debootstrap where it is not there yet, booted by systemd-nspawn
 * (package `systemd-container`). It has no network but its own, a Keystone that the page presumes, and the package of `npm run build:deb`.
 * It takes some minutes; what was tried leaves no trace but /var/tmp/zaqar-machine, which the next try needs no network for.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { blocksOf } from '../test/tour/page.ts'

const root = '/var/tmp/zaqar-machine'
const PAGES = ['docs/operate.md', 'docs/operate-postgres.md', 'docs/drills.md']
/** Parts of the pages that are for the other engine. */
const LEFT_OUT = { sqlite: /PostgreSQL|^A dump$|^An archive$/, postgres: /SQLite|^Backup and restore$/ }

/** What the page presumes. */
const KEYSTONE = `
export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends keystone uwsgi-core uwsgi-plugin-python3
cat > /etc/keystone/keystone.conf <<'END'
[database]
connection = sqlite:////var/lib/keystone/keystone.db
[cache]
enabled = true
backend = dogpile.cache.memory
END
keystone-manage db_sync
keystone-manage fernet_setup --keystone-user keystone --keystone-group keystone
keystone-manage credential_setup --keystone-user keystone --keystone-group keystone
keystone-manage bootstrap --bootstrap-password admin-secret --bootstrap-public-url http://keystone.example:5000/v3 --bootstrap-region-id one
chown -R keystone: /var/lib/keystone /etc/keystone /var/log/keystone
cat > /etc/systemd/system/keystone.service <<'END'
[Service]
User=keystone
ExecStart=/usr/bin/uwsgi --plugins python3 --http-socket 127.0.0.1:5000 --module keystone.server.wsgi:initialize_public_application() --need-app --enable-threads --buffer-size 65535 --add-header "Connection: close"
KillSignal=SIGQUIT
END
`
const START_KEYSTONE = `
echo '127.0.0.1 keystone.example zaqar.example' >> /etc/hosts
systemctl start keystone
until curl -fs http://keystone.example:5000/v3 > /dev/null; do sleep 1; done
`

const engine = process.argv[2]
if (engine !== 'sqlite' && engine !== 'postgres') throw new Error('Say sqlite or postgres')
const commands = PAGES.flatMap(blocksOf).filter(({ language }) => language === 'sh')
// For both engines, since the other one may be tried next.
if (!existsSync(root)) makeRoot(commands.map(({ text }) => text).join('\n'))
const blocks = commands.filter(({ heading }) => !LEFT_OUT[engine].test(heading))
const machine = await boot()
try {
  const script = blocks.map(({ heading, text }) => `echo ${quoted(`\n### ${heading}`)}\n${text}`).join('\n')
  process.exitCode = runIn(machine, `set -eu\ncd /root\n${START_KEYSTONE}\nset -x\n${script}`)
} finally {
  runIn(machine, 'systemctl poweroff')
  await once(machine, 'exit')
}

/** With all packages that the commands install, since the machine cannot fetch them. */
function makeRoot(commands: string): void {
  const lines = commands.matchAll(/^apt-get install -y (?:--no-install-recommends )?(.*)$/gm)
  const packages = [...lines].flatMap(([, names = '']) => names.split(' ')).filter((name) => !name.startsWith('./'))
  execFileSync(
    'debootstrap',
    ['--variant=minbase', '--include=systemd,systemd-sysv,dbus,curl,ca-certificates,iproute2,procps', 'bookworm', root],
    { stdio: 'inherit' },
  )
  const fetch = `apt-get update && apt-get install -y -d libatomic1 adduser ${packages.join(' ')}`
  execFileSync('chroot', [root, 'sh', '-c', fetch], { stdio: 'inherit' })
  execFileSync('chroot', [root, 'sh', '-euc', KEYSTONE], { stdio: 'inherit' })
}

/** Resolves when systemd has started what it starts. */
async function boot(): Promise<ChildProcess> {
  const [debianPackage] = globSync(join(import.meta.dirname, '../dist/zaqar_*.deb'))
  if (debianPackage === undefined) throw new Error('There is no package: npm run build:deb')
  copyFileSync(debianPackage, join(root, 'root/zaqar_0.1.0_amd64.deb'))
  const machine = spawn(
    'systemd-nspawn',
    [
      '--quiet',
      '--register=no',
      '--keep-unit',
      '--private-network',
      '--volatile=overlay',
      '--directory',
      root,
      '--boot',
    ],
    { stdio: 'ignore', env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' } },
  )
  while (runIn(machine, 'systemctl is-system-running --wait') !== 0) await sleep(500)
  return machine
}

/** Answers the status that the script ends with. */
function runIn(machine: ChildProcess, script: string): number {
  const [leader = ''] = readFileSync(`/proc/${machine.pid}/task/${machine.pid}/children`, 'utf8').split(' ')
  const environment = [
    'HOME=/root',
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    'LANG=C.UTF-8',
    'DEBIAN_FRONTEND=noninteractive',
  ]
  const argv = ['--target', leader, '--all', 'env', '-i', ...environment, 'bash', '-c', script]
  return spawnSync('nsenter', argv, { stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

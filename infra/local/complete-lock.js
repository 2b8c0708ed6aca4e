/**
 * `npm run lock`: writes package-lock.json, complete for every platform.
 *
 * npm leaves an optional package out of the lock when the registry at hand does not offer it, as mirrors do with the
 * binaries of other platforms; `npm ci` then refuses the lock, everywhere. Such an entry is added here from what its
 * parent says: the version, and the platform that its name spells. It has no integrity hash: npm takes that from the
 * registry of the machine that needs it.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const path = new URL('../../package-lock.json', import.meta.url)

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64']
const otherNames = { windows: 'win32', 64: 'x64' }

function platformOf(name) {
  const words = name
    .split('/')
    .at(-1)
    .split('-')
    .map((word) => otherNames[word] ?? word)
  const os = words.filter((word) => systems.includes(word))
  const cpu = words.filter((word) => processors.includes(word))
  const libc = words.some((word) => word.startsWith('musl'))
    ? ['musl']
    : words.some((word) => word.startsWith('gnu'))
      ? ['glibc']
      : []
  if (os.length === 0) throw new Error(`${name} is not in the registry at hand, and its name spells no platform`)
  return { os, ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }) }
}

function missingFrom(packages) {
  const missing = {}
  for (const [parent, entry] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      const key = `node_modules/${name}`
      if (key in packages || `${parent}/${key}` in packages) continue
      const version = range.replace(/^[\^~]/, '')
      missing[key] = { version, ...(entry.dev && { dev: true }), optional: true, ...platformOf(name) }
    }
  }
  return missing
}

execFileSync('npm', ['install', '--package-lock-only'], { cwd: new URL('../..', import.meta.url), stdio: 'inherit' })
const lock = JSON.parse(readFileSync(path, 'utf8'))
const missing = missingFrom(lock.packages)
lock.packages = Object.fromEntries(
  Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => (a < b ? -1 : 1)),
)
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${Object.keys(missing).length} packages of other platforms added`)

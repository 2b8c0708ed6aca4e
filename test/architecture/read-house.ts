import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type House, houseOf } from './house.ts'

export const root = fileURLToPath(new URL('../../', import.meta.url))

const storeys = ['apps', 'packages', 'infra', 'test']
const passedOver = new Set(['node_modules', 'dist', 'coverage'])

/** The checkout as it is, with what is not committed yet. */
export function readHouse(): House {
  const files = new Map<string, string>()
  for (const path of ['package.json', ...storeys.flatMap(pathsBelow)]) {
    const matters = path.endsWith('.ts') || path.endsWith('package.json')
    files.set(path, matters ? readFileSync(join(root, path), 'utf8') : '')
  }
  return houseOf(files)
}

function pathsBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (!entry.isDirectory()) return [path]
    return passedOver.has(entry.name) || entry.name.startsWith('.') ? [] : pathsBelow(path)
  })
}

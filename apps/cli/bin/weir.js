#!/usr/bin/env node
// The command, whatever Node it is started with: the sources need one that runs TypeScript as it is written, and the
// packages of the checkout bring one.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const OLDEST_MAJOR = 24
const ourNode = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url))
const main = new URL('../src/main.ts', import.meta.url)

if (Number.parseInt(process.versions.node, 10) >= OLDEST_MAJOR) await import(main.href)
else if (existsSync(ourNode)) process.exitCode = runWith(ourNode)
else {
  console.error(`weir: This is Node ${process.versions.node}, and weir needs ${OLDEST_MAJOR} or newer.`)
  console.error('Install the packages of this checkout, which bring it (npm ci), or start weir with a newer Node.')
  process.exitCode = 2
}

function runWith(node) {
  const { status, error } = spawnSync(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' })
  if (error) console.error(`weir: ${node} does not run (${error.message}). Remove node_modules and run npm ci.`)
  return status ?? 1
}

#!/usr/bin/env node
import { pipeline } from 'node:stream/promises'
import { run } from './run.ts'

// A reader that has seen enough (`weir entries … | head`) closes the pipe; that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

process.exitCode = await run(process.argv.slice(2), {
  url: process.env['WEIR_URL'],
  adminKey: process.env['WEIR_ADMIN_KEY'],
  apiKey: process.env['WEIR_API_KEY'],
  folder: process.cwd(),
  config: process.env['WEIR_CONFIG'],
  secretOf: (name) => process.env[name],
  // `hasColors` knows NO_COLOR and dumb terminals; a pipe has no such method.
  colour: process.stdout.isTTY === true && process.stdout.hasColors(),
  out: (text) => void process.stdout.write(text),
  pour: (bytes) => pipeline(bytes, process.stdout, { end: false }),
  err: (text) => void process.stderr.write(text),
})

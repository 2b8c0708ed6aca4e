import { createWriteStream, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

const warn = 40

/** Keeps an app's lines in a file, which each start begins anew, and shows warnings and worse. */
export function openAppLog(
  path: string,
  show: (line: string) => unknown,
): AsyncDisposable & { write(line: string): void } {
  mkdirSync(dirname(path), { recursive: true })
  const file = createWriteStream(path, { flags: 'w', mode: 0o600 })
  // A full disk must not take the service down with it; the warnings are still shown.
  file.on('error', () => {})
  return {
    write(line) {
      file.write(`${line}\n`)
      if (isWarning(line)) show(line)
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => file.end(() => resolve()).once('error', () => resolve())),
  }
}

// What is not JSON was not written by the logger: a crash, or a warning of Node itself.
function isWarning(line: string): boolean {
  try {
    const { level } = JSON.parse(line) as { level?: unknown }
    return typeof level === 'number' ? level >= warn : /^(warn|error|fatal)$/i.test(String(level))
  } catch {
    return line.trim() !== ''
  }
}

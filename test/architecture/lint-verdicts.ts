import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { House } from './house.ts'
import { importViolations, packageNameOf } from './import-rules.ts'
import { root } from './read-house.ts'
import { keepers, testingDoor } from './rooms.ts'
import { parseSource } from './source-file.ts'

type Report = { diagnostics: { code: string; filename: string; labels: { span: { line: number } }[] }[] }

/**
 * What the linter refuses when a file in every room imports every room, and what the rules here do. The linter tells
 * while one writes, so it has to know the same house.
 */
export async function lintVerdicts(house: House): Promise<{ byLinter: string[]; byRules: string[] }> {
  const names = house.packages.map(({ name }) => name)
  const specifiers = [...names, ...names.map((name) => `${name}/src/index.ts`), testingDoor, ...Object.keys(keepers)]
  const text = specifiers.map((specifier) => `import '${specifier}'`).join('\n')
  const files = house.packages.flatMap(({ folder }) =>
    ['probe.ts', 'probe.test.ts', 'testing/probe.ts'].map((file) => `${folder}/src/${file}`),
  )

  // Whether a package.json names what is imported is nothing the linter looks at.
  const dependencies = specifiers.map(packageNameOf)
  const packages = house.packages.map((one) => ({ ...one, dependencies }))
  const sources = files.map((file) => parseSource(file, text))
  const violations = importViolations({ ...house, packages, sources })

  const refused = await lint(files, text)
  const byLinter = refused.map(({ file, line }) => `${file} imports ${specifiers[line - 1]}`)
  return { byLinter: sorted(byLinter), byRules: sorted(violations.map(({ file, what }) => `${file} ${what}`)) }
}

const sorted = (lines: string[]) => [...new Set(lines)].toSorted()

async function lint(files: string[], text: string): Promise<{ file: string; line: number }[]> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-lint-'))
  try {
    await copyFile(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
    for (const file of files) {
      await mkdir(dirname(join(folder, file)), { recursive: true })
      await writeFile(join(folder, file), text)
    }
    const { diagnostics } = JSON.parse(await outputOfLint(folder)) as Report
    return diagnostics
      .filter(({ code }) => code.includes('no-restricted-imports'))
      .map(({ filename, labels }) => ({ file: filename, line: labels[0]?.span.line ?? 0 }))
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function outputOfLint(cwd: string): Promise<string> {
  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint')
  const options = { cwd, maxBuffer: 64 * 1024 * 1024 }
  // It fails when it has something to say, which is what is asked of it here.
  const ended = promisify(execFile)(process.execPath, [oxlint, '--format=json'], options)
  const { stdout } = await ended.catch((error: { stdout: string }) => error)
  return stdout
}

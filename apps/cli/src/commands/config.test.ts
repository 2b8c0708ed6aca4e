import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { weir } from '../testing/admin-stand-in.ts'

const good = `backends:
  far: { kind: openai, base_url: http://127.0.0.1:8000/v1, api_key_env: FAR_KEY }
  spare: { kind: simulated }
models:
  - id: fast
    aliases: [quick]
    targets: [{ backend: far, model: llama }]
    price: { input: 1, output: 1 }
    max_output_tokens: 100
    context_window: 1000
rules: [{ id: any, models: [fast] }]
`
const secrets = { FAR_KEY: 'secret' }

function folderWith(text: string, name = 'weir.yaml') {
  const folder = mkdtempSync(join(tmpdir(), 'weir-config-'))
  writeFileSync(join(folder, name), text)
  return { folder, path: join(folder, name), [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}

test('a catalogue that is good is shown as it was understood, with what is hardly meant', async () => {
  using written = folderWith(good)

  const { exitCode, out, err } = await weir(['config', 'check'], written.folder, { secrets })

  expect(exitCode).toBe(0)
  expect(out.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['backend', 'kind', 'address', 'secrets in'],
    ['far', 'openai', 'http://127.0.0.1:8000/v1', 'FAR_KEY'],
    ['spare', 'simulated', '-', '-'],
    [''],
    ['model', 'other names', 'leads to'],
    ['fast', 'quick', 'far/llama'],
    ['any', '-', 'fast'],
    ['auto', '-', 'fast'],
    [''],
  ])
  expect(err).toBe(`Note: ${written.path}:3:3: backends.spare: is used by no model\n${written.path} is in order.\n`)
})

test('all mistakes are told, secrets that are missing among them, and the exit code is 1', async () => {
  using written = folderWith(good.replace('id: fast', 'id: fa st').replace('[fast]', '[fasst]'), 'other.yaml')

  const { exitCode, out, err } = await weir(['config', 'check', written.path])

  expect([exitCode, out]).toEqual([1, ''])
  expect(err.replaceAll(written.path, 'FILE').split('\n')).toEqual([
    'weir: FILE cannot be used:',
    '  FILE:2:60: backends.far.api_key_env: the environment variable FAR_KEY is not set',
    expect.stringMatching(/^ {2}FILE:5:5: models\[0\]\.id: must be 1 to 128 letters/),
    '',
  ])
})

test('a pipeline that has no secrets can do without them, and reads the verdict as JSON', async () => {
  using written = folderWith(good)
  const config = written.path

  const refused = await weir(['config', 'check', '--json'], tmpdir(), { config })
  const accepted = await weir(['config', 'check', '--json', '--without-secrets'], tmpdir(), { config })

  expect(refused.exitCode).toBe(1)
  expect(JSON.parse(refused.out)).toMatchObject({ ok: false, mistakes: [expect.stringContaining('FAR_KEY')] })
  expect(accepted.exitCode).toBe(0)
  expect(JSON.parse(accepted.out)).toMatchObject({
    ok: true,
    backends: [{ name: 'far', secrets: ['FAR_KEY'] }, { name: 'spare' }],
    models: [{ id: 'fast', leads_to: ['far/llama'] }, { id: 'any', leads_to: ['fast'] }, { id: 'auto' }],
  })
})

test('without a file, which nobody needs, it shows what is found', async () => {
  const { folder, ...written } = folderWith(good)
  written[Symbol.dispose]()

  const plain = await weir(['config', 'check'], folder, { secrets: { OPENAI_API_KEY: 'secret' } })
  const { out } = await weir(['config', 'check', '--json', '--without-secrets'], folder)

  expect(plain.exitCode).toBe(0)
  expect(plain.out).toMatch(/^openai .* OPENAI_API_KEY$[^]*^simulated .* simulated\/simulated$/m)
  expect(plain.err).toBe(`There is no ${written.path}: Weir serves what it finds, as shown.\n`)
  expect(out).not.toContain('OPENAI_API_KEY')
})

test('a file that is not there although it is named, or is none, is said to be so', async () => {
  const { folder, ...written } = folderWith(good)
  written[Symbol.dispose]()

  const absent = await weir(['config', 'check', written.path])
  const directory = await weir(['config', 'check', tmpdir()])

  expect([absent.exitCode, directory.exitCode]).toEqual([1, 1])
  expect(absent.err).toContain(`there is no file ${join(folder, 'weir.yaml')}`)
  expect(directory.err).toContain('cannot be read')
})

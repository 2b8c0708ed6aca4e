import { expect, test } from 'vitest'
import { type Asked, adminStandIn } from '../testing/admin-stand-in.ts'

const price = {
  id: 'price_1',
  object: 'price',
  model: 'quick',
  input: 1,
  cached_input: 0.25,
  cache_write: 1.25,
  output: 2,
  reasoning: 3,
  per: 1_000_000,
  image: 0.001,
  request: 0,
  minimum: 0.000001,
  batch_discount: 50,
  effective_at: '2026-01-01T00:00:00.000Z',
  source: 'catalogue',
  served: true,
}
const listOf = (...data: object[]) => ({ body: { object: 'list', data, has_more: false, last_id: null } })
const taking = { 'GET /prices': listOf(price), 'POST /prices': { status: 201, body: price } }
const written = (asked: readonly Asked[]) =>
  asked.filter(({ route }) => route === 'POST /prices').map(({ body }) => body)

test('prices are a table, in credits for so many tokens', async () => {
  const other = { ...price, id: 'price_2', model: 'slow', input: 12.5, source: 'admin', batch_discount: 0 }
  await using admin = await adminStandIn({ 'GET /prices': listOf(price, other) })

  const { out } = await admin.weir('prices', 'list')

  const [titles, first, second] = out.split('\n').map((line) => line.replace(/20\d\d-[-:T+\d]+/, 'TIME'))
  expect(titles?.split(/ {2,}/).join()).toBe(
    'model,input,cached input,cache write,output,reasoning,per,image,request,minimum,batch discount,from,source,id',
  )
  expect(first?.split(/ {2,}/).join()).toBe(
    'quick,1.0,0.25,1.25,2,3,1000000,0.001,0,0.000001,50%,TIME,catalogue,price_1',
  )
  expect(second).toMatch(/^slow {4}12\.5 .* 0\.000001 +0% +TIME {2}admin {6}price_2$/)
})

test('a model that has left the catalogue is marked in the table of prices', async () => {
  await using admin = await adminStandIn({ 'GET /prices': listOf(price, { ...price, model: 'old', served: false }) })

  const { out } = await admin.weir('prices', 'list')

  expect(out).toMatch(/^quick {2}.*\nold \(not served\) {2}/m)
})

test('the history of a model is asked for by its name, whatever is in it', async () => {
  await using admin = await adminStandIn({ 'GET /prices/history?model=a%2Fb+c': listOf(price) })

  expect(await admin.weir('prices', 'history', 'a/b c')).toMatchObject({ exitCode: 0, err: '' })
})

test('a price is set for so many tokens, from a time on or at once', async () => {
  await using admin = await adminStandIn(taking)
  const options = ['--input', '0.000001', '--output', '2.0', '--cached-input', '0', '--per', '1000']

  await admin.weir('prices', 'set', 'quick', ...options, '--effective-at', '2030-01-01')
  await admin.weir('prices', 'set', 'quick', '--input', '1', '--output', '2')

  const wire = { input: '0.000001', cached_input: '0', output: '2', per: 1_000 }
  expect(written(admin.asked)).toEqual([
    { model: 'quick', ...wire, effective_at: '2030-01-01T00:00:00.000Z' },
    { model: 'quick', input: '1', output: '2' },
  ])
})

test('a price has as many parts as somebody gives it', async () => {
  await using admin = await adminStandIn(taking)
  const tokens = ['--input', '1', '--cache-write', '1.25', '--output', '2', '--reasoning', '3']

  const others = ['--image', '0.001', '--request', '0', '--minimum', '0.5', '--batch-discount', '50']

  await admin.weir('prices', 'set', 'quick', ...tokens, ...others)
  const refused = await admin.weir('prices', 'set', 'quick', ...tokens, '--batch-discount', '101')

  const wire = { image: '0.001', request: '0', minimum: '0.5', batch_discount: 50 }
  expect(written(admin.asked)).toEqual([
    { model: 'quick', input: '1', cache_write: '1.25', output: '2', reasoning: '3', ...wire },
  ])
  expect(refused).toMatchObject({ exitCode: 2, err: expect.stringContaining('0 to 100') })
})

test('a part that is not named stays, one is taken away by none, and what was is shown beside what is', async () => {
  const dearer = { ...price, id: 'price_2', output: 9, effective_at: '2026-02-01T00:00:00.000Z', source: 'admin' }
  const planned = { ...price, id: 'price_3', effective_at: '2027-01-01T00:00:00.000Z' }
  await using admin = await adminStandIn({
    'GET /prices': listOf(price, { ...price, model: 'slow' }, planned),
    'POST /prices': { status: 201, body: dearer },
  })

  const { out } = await admin.weir('prices', 'set', 'quick', '--output', '9', '--batch-discount', 'none')

  expect(written(admin.asked)).toEqual([{ model: 'quick', output: '9', batch_discount: null }])
  const lines = out.trimEnd().split('\n')
  expect(lines).toHaveLength(3)
  expect(lines[1]).toMatch(/^before +quick .* price_1$/)
  expect(lines[2]).toMatch(/^after +quick .* price_2$/)
})

import fc from 'fast-check'

/** Any text, of scripts, emojis and control characters alike. */
export const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
export const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/)
export const base64 = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => Buffer.from(bytes).toString('base64'))
export const url = fc.webUrl({ validSchemes: ['https', 'http'] })

/** JSON as a parser gives it: no minus zero, no prototypes. */
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)
const key = fc.string({ maxLength: 8 }).filter((each) => each !== '__proto__')
export const jsonObject = fc
  .dictionary(key, json, { maxKeys: 3, noNullPrototype: true })
  .filter((object) => !JSON.stringify(object).includes('__proto__'))

export const schema = fc
  .record({ properties: jsonObject, description: text }, { requiredKeys: [] })
  .map((rest) => ({ type: 'object', ...rest }))

/** Some of the fields: whatever is absent is not there at all. */
export const some = <Fields>(fields: { [Field in keyof Fields]: fc.Arbitrary<Fields[Field]> }) =>
  fc.record(fields, { requiredKeys: [], noNullPrototype: true })

/** The required fields, and some of the others. */
export const object = <Must, May = object>(
  must: { [Field in keyof Must]: fc.Arbitrary<Must[Field]> },
  may = {} as { [Field in keyof May]: fc.Arbitrary<May[Field]> },
): fc.Arbitrary<Must & Partial<May>> =>
  fc
    .tuple(fc.record(must, { noNullPrototype: true }), some(may))
    .map(([required, others]) => ({ ...required, ...others }) as Must & Partial<May>)

export const list = <Item>(item: fc.Arbitrary<Item>, minLength = 1) => fc.array(item, { minLength, maxLength: 3 })

export const ratio = fc.double({ min: 0, max: 1, noNaN: true }).map((each) => each + 0)

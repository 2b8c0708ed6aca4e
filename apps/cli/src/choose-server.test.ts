import { expect, test } from 'vitest'
import { chooseServer } from './choose-server.ts'

const file = { url: 'http://127.0.0.1:8080', adminKey: 'of-file', path: '.weir/local.json' }
const local = () => file

test('options go before the environment, and the environment before the local file', () => {
  const environment = { url: 'https://env.example', adminKey: 'of-env' }

  expect(chooseServer({ url: 'https://option.example/', adminKey: 'of-option' }, environment, local)).toMatchObject({
    url: 'https://option.example',
    adminKey: 'of-option',
  })
  expect(chooseServer({}, environment, local)).toMatchObject({ url: 'https://env.example', adminKey: 'of-env' })
  expect(chooseServer({}, {}, local)).toMatchObject({ url: file.url, adminKey: 'of-file' })
})

test('the local key goes to no server but the local one', () => {
  expect(() => chooseServer({ url: 'https://elsewhere.example' }, {}, local)).toThrow(/no admin key for/)
  expect(chooseServer({ url: `${file.url}/` }, {}, local)).toMatchObject({ adminKey: 'of-file' })
})

test('a URL that is none is refused before anything is sent', () => {
  expect(() => chooseServer({ url: 'localhost:8080', adminKey: 'k' }, {}, local)).toThrow(/not an http or https URL/)
})

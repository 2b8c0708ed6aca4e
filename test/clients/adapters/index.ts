import Anthropic1 from '@anthropic-ai/sdk'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import Anthropic0 from 'anthropic-sdk-0'
import OpenAI7 from 'openai'
import OpenAI4 from 'openai-4'
import OpenAI6 from 'openai-6'
import type { Client } from '../client.ts'
import { aiSdk } from './ai-sdk.ts'
import { type AnyAnthropic, anthropicSdk } from './anthropic-sdk.ts'
import { curl } from './curl.ts'
import { langchain } from './langchain.ts'
import { type AnyOpenAI, openaiSdk } from './openai-sdk.ts'

const ofAiSdk = [
  aiSdk({
    name: 'AI SDK, OpenAI',
    packageName: '@ai-sdk/openai',
    dialect: 'openai',
    note: '`openai.chat(model)`: its default is the Responses API',
    modelOf: ({ url, apiKey, model }) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).chat(model),
    cannot: {},
  }),
  aiSdk({
    name: 'AI SDK, OpenAI-compatible',
    packageName: '@ai-sdk/openai-compatible',
    dialect: 'openai',
    note: '`includeUsage` and `supportsStructuredOutputs` on',
    modelOf: ({ url, apiKey, model }) =>
      createOpenAICompatible({
        name: 'weir',
        baseURL: `${url}/v1`,
        apiKey,
        includeUsage: true,
        supportsStructuredOutputs: true,
      })(model),
    cannot: {},
  }),
  aiSdk({
    name: 'AI SDK, Anthropic',
    packageName: '@ai-sdk/anthropic',
    dialect: 'anthropic',
    note: 'for names of models that it does not know, it asks for JSON by a tool',
    modelOf: ({ url, apiKey, model }) => createAnthropic({ baseURL: `${url}/v1`, apiKey })(model),
    cannot: {},
  }),
]

/** Every client of the matrix. */
export const clients: readonly Client[] = [
  openaiSdk('openai 4', 'openai-4', OpenAI4 as unknown as AnyOpenAI),
  openaiSdk('openai 6', 'openai-6', OpenAI6 as unknown as AnyOpenAI),
  openaiSdk('openai 7', 'openai', OpenAI7),
  anthropicSdk('Anthropic 0', 'anthropic-sdk-0', Anthropic0 as unknown as AnyAnthropic),
  anthropicSdk('Anthropic 1', '@anthropic-ai/sdk', Anthropic1),
  ...ofAiSdk,
  langchain,
  curl,
]

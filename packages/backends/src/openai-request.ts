import type { CompletionRequest, Message, Target } from '@weir/contracts'

type Vendor = 'openai' | 'compatible'

/** OpenAI itself, also as Azure sells it, reads some fields differently from the servers that speak its protocol. */
export function vendorOf(baseUrl: URL): Vendor {
  const { hostname } = baseUrl
  const isOpenAi = hostname === 'api.openai.com' || hostname.endsWith('.api.openai.com')
  return isOpenAi || hostname.endsWith('.azure.com') ? 'openai' : 'compatible'
}

/** The body of a chat completion call. It always streams and always asks for usage: that is what we charge by. */
export function openAiBodyOf(request: CompletionRequest, target: Target, vendor: Vendor): string {
  return JSON.stringify({
    model: target.model,
    messages: vendor === 'openai' ? request.messages : request.messages.map(withoutDeveloper),
    stream: true,
    stream_options: { include_usage: true },
    // OpenAI's reasoning models refuse `max_tokens`; most other servers know nothing else, and some would silently
    // ignore the newer name and generate without a limit.
    ...(vendor === 'openai'
      ? { max_completion_tokens: request.maxOutputTokens }
      : { max_tokens: request.maxOutputTokens }),
    temperature: request.temperature,
    top_p: request.topP,
    frequency_penalty: request.frequencyPenalty,
    presence_penalty: request.presencePenalty,
    stop: request.stop?.length ? request.stop : undefined,
    seed: request.seed,
  })
}

/** `developer` is OpenAI's newer word for `system`, and an unknown role to the chat templates of other servers. */
const withoutDeveloper = (message: Message): Message =>
  message.role === 'developer' ? { ...message, role: 'system' } : message

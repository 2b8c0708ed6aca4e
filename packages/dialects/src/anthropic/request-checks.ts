import type { z } from 'zod'
import type { Turn } from './blocks.ts'
import type { Tool, ToolChoice } from './tools.ts'

type Checked = {
  messages: Turn[]
  tools?: Tool[] | null | undefined
  tool_choice?: ToolChoice | null | undefined
}
type Refuse = (path: (string | number)[], message: string) => void

/** What one field of a prompt says of another. */
export function checkPrompt({ messages, tools, tool_choice: choice }: Checked, context: z.core.$RefinementCtx): void {
  const refuse: Refuse = (path, message) => context.addIssue({ code: 'custom', path, message })
  checkResults(messages, refuse)
  checkNames(tools ?? [], refuse)
  if (choice && choice.type !== 'none') checkChoice(choice, tools ?? [], refuse)
}

function checkResults(turns: readonly Turn[], refuse: Refuse): void {
  const called = new Set<string>()
  for (const [i, { content }] of turns.entries()) {
    if (typeof content === 'string') continue
    for (const [j, block] of content.entries()) {
      if (block.type === 'tool_use') called.add(block.id)
      else if (block.type === 'tool_result' && !called.has(block.tool_use_id))
        refuse(['messages', i, 'content', j, 'tool_use_id'], 'names no tool_use of an earlier turn')
    }
  }
}

function checkNames(tools: readonly Tool[], refuse: Refuse): void {
  const names = new Set<string>()
  for (const [index, { name }] of tools.entries()) {
    if (names.has(name)) refuse(['tools', index, 'name'], 'is the name of another tool, too')
    names.add(name)
  }
}

function checkChoice(choice: ToolChoice, tools: readonly Tool[], refuse: Refuse): void {
  if (tools.length === 0) refuse(['tool_choice'], 'is allowed only together with tools')
  else if (choice.type === 'tool' && !tools.some(({ name }) => name === choice.name))
    refuse(['tool_choice', 'name'], 'names none of the tools')
}

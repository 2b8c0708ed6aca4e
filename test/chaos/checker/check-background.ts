import { type Case, type Violation } from './evidence.ts'
import { judgeText } from './judge-text.ts'

/** What went on in the background has a result that can be read when all is quiet; and nothing of it was lost. */
export function checkBackground({ play, exchanges, productions, rows }: Case): Violation[] {
  return exchanges
    .filter(({ step }) => step === 'read back')
    .flatMap((read) => {
      const row = rows.find(({ id }) => id === read.path.split('/').at(-1))
      const of = { play: play.number, completionId: row?.id }
      const wrong = (message: string): Violation[] => [{ ...of, rule: 'background', message }]
      if (read.end !== 'answered')
        return wrong(`its result is answered with ${read.status} ${read.error?.code ?? read.end}`)
      if (read.completionStatus !== row?.state)
        return wrong(`it is told to be ${read.completionStatus}, and is ${row?.state}`)
      const isAccepted = exchanges.some(({ step, status = 500 }) => step === 'create' && status < 400)
      if (isAccepted && row?.state === 'failed' && row.errorCode === 'service_unavailable')
        return wrong('it was accepted and then given up as lost')
      if (row?.state !== 'completed') return []
      const judgement = judgeText(read.text, play.script, productions)
      if (judgement.kind === 'words' && judgement.isWhole) return []
      return wrong(`its result is not whole: ${judgement.kind === 'wrong' ? judgement.why : judgement.kind}`)
    })
}

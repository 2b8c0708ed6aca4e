/**
 * Measures all members of all groups in rounds, and gives what each showed. Within a group they take turns, and each round
 * another one begins: what else the machine does falls on all of them alike.
 */
export async function runRounds<Member, Slice>(
  groups: readonly (readonly Member[])[],
  rounds: number,
  measure: (member: Member) => Promise<Slice>,
): Promise<Map<Member, Slice[]>> {
  const slices = new Map(groups.flat().map((member) => [member, [] as Slice[]]))
  for (let round = 0; round < rounds; round++) {
    for (const group of groups) {
      for (const [index] of group.entries()) {
        const member = group[(index + round) % group.length]!
        slices.get(member)!.push(await measure(member))
      }
    }
  }
  return slices
}

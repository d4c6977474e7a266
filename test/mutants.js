/**
 * Mutation tests: plants faults that cost money in copies of the sources, and prints the test that notices each. Fails if one is
 * not noticed.
 *
 *     npm run test:mutants [-- submission, ledger, entitlement, lifecycle, or part of a name]
 */
import { entitlement } from "./entitlement/mutants.js"
import { submission } from "./internal/submission/mutants.js"
import { ledger } from "./ledger/mutants.js"
import { lifecycle } from "./lifecycle/mutants.js"
import { runMutants } from "./support/mutation.js"

await runMutants([submission, ledger, entitlement, lifecycle], process.argv[2])

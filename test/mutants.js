/**
 * Mutation tests: plants faults that cost money in copies of the sources, and prints the test that notices each. Fails if one is
 * not noticed.
 *
 *     npm run test:mutants [-- submission, ledger, entitlement, lifecycle, or part of a name]
 */
import { suites } from "./mutantSuites.js"
import { runMutants } from "./support/mutation.js"

await runMutants(suites, process.argv[2])

// A node child of the supervisor: runs until it gets a stop signal or its parent has ended.
import { endWithParent } from '../../src/embedded/end-with-parent.ts';

setInterval(() => {}, 60_000);
endWithParent({ shutdown: async () => {}, graceMs: 1_000 });

"""The controls of the guidelines, judged from what Hinomi holds, with the query that each judgement rests on."""

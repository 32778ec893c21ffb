package main

func init() {
	sessions.register(protoactor, map[string]Runner{
		"idle": func(ops int) (Sample, error) { return protoactorSpawn(measureKept, ops) },
	})
}

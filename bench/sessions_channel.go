package main

func init() {
	sessions.register(channel, map[string]Runner{
		"idle": func(ops int) (Sample, error) { return channelSpawn(measureKept, ops) },
	})
}

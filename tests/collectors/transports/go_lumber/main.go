// Sends numbered events by Elastic's own client of the Lumberjack protocol, the one in Beats: a window that was not
// answered whole is sent again, down a new connection, as Beats do.
//
// usage: go_lumber ADDRESS EVENTS WINDOW
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/elastic/go-lumber/client/v2"
)

func main() {
	address := os.Args[1]
	events, _ := strconv.Atoi(os.Args[2])
	window, _ := strconv.Atoi(os.Args[3])
	var client *v2.SyncClient
	again := 0
	for at := 0; at < events; {
		if client == nil {
			made, err := v2.SyncDial(address, v2.CompressionLevel(3), v2.Timeout(10*time.Second))
			if err != nil {
				again++
				time.Sleep(100 * time.Millisecond)
				continue
			}
			client = made
		}
		answered, err := client.Send(batch(at, min(window, events-at)))
		at += answered
		if err != nil {
			again++
			client.Close()
			client = nil
		}
	}
	fmt.Printf("%d %d\n", events, again)
}

func batch(from int, size int) []interface{} {
	events := make([]interface{}, size)
	for i := range events {
		events[i] = map[string]interface{}{
			"@timestamp": time.Unix(1_795_144_445+int64(from+i), 0).UTC(), // a Beat sends the very event again
			"@metadata":  map[string]interface{}{"beat": "filebeat", "version": "8.19.0"},
			"message":    fmt.Sprintf("number %d", from+i),
			"log": map[string]interface{}{
				"offset": (from + i) * 10,
				"file":   map[string]interface{}{"path": "/var/log/auth.log"},
			},
		}
	}
	return events
}

func min(a int, b int) int {
	if a < b {
		return a
	}
	return b
}

// The web server that the test clusters run: it tells which pod answered, which version of the image it is and
// what environment it was given, so that a test sees from outside what was released.
//
//	PORT         where it listens, 8080 if unset
//	READY_AFTER  a duration ("3s") during which /healthz says 503
//	UNHEALTHY    when set, /healthz says 503 for ever
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func environment() map[string]string {
	variables := map[string]string{}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		variables[name] = value
	}
	return variables
}

func main() {
	log.SetFlags(0)
	log.SetOutput(os.Stdout)
	started := time.Now()
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	readyAfter := time.Duration(0)
	if text := os.Getenv("READY_AFTER"); text != "" {
		duration, err := time.ParseDuration(text)
		if err != nil {
			log.Fatalf("READY_AFTER: %v", err)
		}
		readyAfter = duration
	}

	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(reply http.ResponseWriter, request *http.Request) {
		if os.Getenv("UNHEALTHY") != "" || time.Since(started) < readyAfter {
			http.Error(reply, "not ready", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(reply, "ok")
	})
	mux.HandleFunc("/", func(reply http.ResponseWriter, request *http.Request) {
		// Probes are not logged: they would bury what a test looks for.
		log.Printf("request method=%s path=%s from=%s", request.Method, request.URL.Path, request.RemoteAddr)
		reply.Header().Set("Content-Type", "application/json")
		json.NewEncoder(reply).Encode(map[string]any{
			"pod":         os.Getenv("HOSTNAME"),
			"version":     os.Getenv("IMAGE_VERSION"),
			"path":        request.URL.Path,
			"environment": environment(),
		})
	})

	server := &http.Server{Addr: ":" + port, Handler: mux}
	stopped := make(chan struct{})
	go func() {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
		log.Printf("stopping on %v", <-signals)
		deadline, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		server.Shutdown(deadline)
		close(stopped)
	}()
	log.Printf("web version=%s pod=%s listening port=%s", os.Getenv("IMAGE_VERSION"), os.Getenv("HOSTNAME"), port)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	<-stopped
}

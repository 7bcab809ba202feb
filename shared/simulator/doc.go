// Package simulator is Alibaba Cloud Simple Application Server (SWAS) over HTTP, for local runs and for tests.
//
// [New] returns an [http.Handler] that holds one account: its access keys, servers, disks and snapshots. It takes the
// same requests as the real API (version 2020-06-01), verifies their signatures, applies the documented rules and
// answers with the documented elements and codes. A client needs nothing but another address:
//
//	sim := simulator.New(simulator.Config{
//		Credentials: []simulator.Credential{{AccessKeyID: "id", AccessKeySecret: "secret"}},
//		Instances: []simulator.Instance{{
//			ID: "i-web", RegionID: "cn-hangzhou",
//			Disks: []simulator.Disk{{ID: "d-web"}},
//		}},
//	})
//	server := httptest.NewServer(sim) // SWAS_ENDPOINT=server.URL
//
// # The two clocks
//
// Config.Now drives the state: the progress of snapshots, the memory of client tokens, the rate limit. A test moves
// it by hand. Config.Wall drives the gateway: the age of a request and the expiry of a credential. It is the wall
// clock unless a test says otherwise, because real clients sign with the wall clock, whatever time it is in the test.
//
// # Faults
//
// [Simulator.Fault] plans what goes wrong: an API code, an answer that is lost before or after the effect, a cut
// connection, a slow answer, a malformed one. [Simulator.AddSnapshot] and the other methods of control.go set states
// that the API itself cannot reach. [Simulator.SetLag] and Config.ListView make lists late or stale.
// [Simulator.Calls] and [Simulator.CallCounts] return what arrived. Config.OnDelete gets the true state at each
// deletion.
//
// # Without HTTP
//
// [Simulator.Do] makes a call without HTTP, signature and JSON, in a few microseconds, for tests that run very many
// histories. Permissions, rate limit, faults, rules and the record of calls are the same.
//
// # Where the documents are silent
//
// The choices of this package, each a field or a comment where it is made: a name is unique in its region; client
// tokens are remembered for 24 hours, per action; the name is checked before the quota (Config.QuotaBeforeName turns
// that round); a snapshot in progress cannot be deleted; TagResources keeps tags with other keys (Config.ReplaceTags);
// the rate limit is a window of 60 seconds (Config.TokenBucket); a malformed filter of ListSnapshots is InvalidParam;
// everything is answered in JSON.
package simulator

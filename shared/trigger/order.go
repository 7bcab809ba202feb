package trigger

import (
	"cmp"
	"reflect"
	"time"

	"swas-snapshot/shared/snapshot"
)

// exampleOrder is an order that an error message shows as an example.
const exampleOrder = `{"target":"web-1","role":"deploy","key":"build-42"}`

// orderForm is an order as users and pipelines write it.
type orderForm struct {
	Target string  `json:"target"`
	Role   string  `json:"role"`
	Reason string  `json:"reason"`
	Key    *string `json:"key"`
	Time   *string `json:"time"` // of the event, RFC 3339
	MaxAge *string `json:"maxAge"`
	DryRun bool    `json:"dryRun"`
}

// requestForm is the parameters of CreateSnapshot as the API writes them.
type requestForm struct {
	RegionID        string         `json:"RegionId"`
	DiskID          string         `json:"DiskId"`
	SnapshotName    string         `json:"SnapshotName"`
	ClientToken     string         `json:"ClientToken"`
	Tag             []snapshot.Tag `json:"Tag"`
	ResourceGroupID string         `json:"ResourceGroupId"`
}

var (
	orderFields   = fieldNames(reflect.TypeFor[orderForm]())
	requestFields = fieldNames(reflect.TypeFor[requestForm]())
)

// looksLikeOrder reports whether an object has what every order has, or nothing but parameters of the API.
func looksLikeOrder(n node) bool {
	return n.hasAny("target", "DiskId") || len(n.members) > 0 && n.hasOnly(requestFields...)
}

// decodeOrderItem decodes an order in either form and gives it its identity.
func decodeOrderItem(n node, from origin) ([]Item, error) {
	decode := decodeOrder
	if n.hasAny("DiskId") || !n.hasAny("target") && n.hasOnly(requestFields...) {
		decode = decodeRequest
	}
	order, err := decode(n)
	if err != nil {
		return nil, err
	}
	if order.Time.IsZero() {
		order.Time = from.at
	}
	order.Unread, order.Repeated = true, from.repeated
	if order.ExplicitKey {
		order.Sender = "event"
	} else {
		order.Sender, order.Key = from.sender, from.key
	}
	return []Item{{Order: &order}}, nil
}

// DecodeOrder decodes an order in the form of this project, {"target","role","reason","key","time","maxAge","dryRun"};
// target is required. With a key, the order has Key and ExplicitKey; Sender, Tenant and Actor are the caller's to fill.
// time is that of the event, in RFC 3339. maxAge is a duration as Go writes it, which may begin with days: "90m", "2d".
// The values of the other fields are checked by [snapshot.Order.Validate]. The error is a [*snapshot.Error] with Code
// [snapshot.CodeMalformed].
func DecodeOrder(data []byte) (snapshot.Order, error) {
	order, err := decodeOrder(parse(data, fold))
	return order, expecting(err, "an order such as "+exampleOrder)
}

func decodeOrder(n node) (snapshot.Order, error) {
	var form orderForm
	if err := n.fill(&form, true); err != nil {
		return snapshot.Order{}, err
	}
	order := snapshot.Order{Target: form.Target, Role: form.Role, Reason: form.Reason, DryRun: form.DryRun}
	if form.Target == "" {
		return snapshot.Order{}, snapshot.Malformed(`field "target" is missing: name a target of snapshots.yaml`)
	}
	if form.Key != nil {
		if *form.Key == "" {
			return snapshot.Order{}, snapshot.Malformed(
				`field "key" is empty: give the ID of the event, or leave the field out`)
		}
		order.Key, order.ExplicitKey = *form.Key, true
	}
	if form.Time != nil {
		if *form.Time == "" {
			return snapshot.Order{}, snapshot.Malformed(
				`field "time" is empty: give the time of the event, or leave the field out`)
		}
		at, err := parseTime("time", *form.Time)
		if err != nil {
			return snapshot.Order{}, err
		}
		order.Time = at
	}
	if form.MaxAge != nil {
		age, err := snapshot.ParseDuration(*form.MaxAge)
		if err != nil {
			return snapshot.Order{}, snapshot.Malformed(`field "maxAge" is %s`, err)
		}
		order.MaxAge = age
	}
	return order, nil
}

func decodeRequest(n node) (snapshot.Order, error) {
	var form requestForm
	if err := n.fill(&form, true); err != nil {
		return snapshot.Order{}, err
	}
	if form.DiskID == "" {
		// The core would miss a target, too; here the caller writes the API's own parameters.
		wrong := snapshot.Request{
			RegionID:        cmp.Or(form.RegionID, "cn-hangzhou"),
			SnapshotName:    cmp.Or(form.SnapshotName, "generated"),
			ClientToken:     form.ClientToken,
			Tags:            form.Tag,
			ResourceGroupID: form.ResourceGroupID,
		}.Validate()
		return snapshot.Order{}, snapshot.AsError(wrong)
	}
	return snapshot.Order{
		RegionID:        form.RegionID,
		DiskID:          form.DiskID,
		SnapshotName:    form.SnapshotName,
		ClientToken:     form.ClientToken,
		Tags:            form.Tag,
		ResourceGroupID: form.ResourceGroupID,
	}, nil
}

// parseTime reads the time of an event. Absent, it is the zero time; a time before 1970 is a mistake.
func parseTime(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 1970 {
		return time.Time{}, snapshot.Malformed("field %s is not a time: write one such as 2026-01-31T03:00:00Z",
			snapshot.Quote(name))
	}
	return at.UTC(), nil
}

// maxMillis is the last millisecond of the year 9999, beyond which a time has no RFC 3339 form.
const maxMillis = 253402300799999

// parseMillis reads a time in milliseconds since 1970.
func parseMillis(name string, millis int64) (time.Time, error) {
	if millis <= 0 || millis > maxMillis {
		return time.Time{}, snapshot.Malformed("field %s is not a time in milliseconds since 1970", snapshot.Quote(name))
	}
	return time.UnixMilli(millis).UTC(), nil
}

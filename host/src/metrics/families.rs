//! One metric family after the other, with all its series. The format itself is the library's.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use crate::counters::{BOUNDS_NS, Snapshot};

/// Labels of a series: names and values.
type Labels<'a, const N: usize> = [(&'a str, &'a str); N];

/// Where families are written to.
pub(super) struct Families<'a>(DescriptorEncoder<'a>);

impl<'a> Families<'a> {
    pub(super) fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self(encoder)
    }

    /// A family of counters; the format adds the unit and `_total` to its name.
    pub(super) fn counter<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        series: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Counter)?;
        for (labels, value) in series {
            match N {
                0 => family.encode_counter::<NoLabelSet, u64, u64>(&value, None)?,
                _ => family
                    .encode_family(&labels)?
                    .encode_counter::<NoLabelSet, u64, u64>(&value, None)?,
            }
        }
        Ok(())
    }

    /// A family of gauges; the format adds the unit to its name.
    pub(super) fn gauge<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        series: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (labels, value) in series {
            match N {
                0 => family.encode_gauge(&value)?,
                _ => family.encode_family(&labels)?.encode_gauge(&value)?,
            }
        }
        Ok(())
    }

    /// A family of histograms in seconds.
    pub(super) fn durations<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'l, N>, Snapshot)>,
    ) -> fmt::Result {
        let unit = Some(&Unit::Seconds);
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        let bounds = BOUNDS_NS.iter().map(|bound| *bound as f64 / 1e9).chain([f64::INFINITY]);
        for (labels, snapshot) in series {
            let buckets: Vec<_> = bounds.clone().zip(snapshot.buckets).collect();
            let (sum, count) = (snapshot.sum.as_secs_f64(), snapshot.count);
            match N {
                0 => family.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?,
                _ => family
                    .encode_family(&labels)?
                    .encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?,
            }
        }
        Ok(())
    }

    /// A constant that is told by its labels; the format adds `_info` to its name.
    pub(super) fn info(&mut self, name: &str, help: &str, labels: &Labels<'_, 1>) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Info)?;
        family.encode_info(labels)
    }
}

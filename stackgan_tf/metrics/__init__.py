"""FID, KID, Inception score, precision and recall, MS-SSIM, R-precision: functions of features and images."""
